using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Facts;

namespace OrderInventory.Campaign.Faults;

/// <summary>The system that faults are injected into.</summary>
/// <param name="Infrastructure">The servers.</param>
/// <param name="Replicas">The replicas that requests are sent to.</param>
/// <param name="NewReplica">Creates another replica with the given number.</param>
/// <param name="Rate">The best rate of answers per second so far; 0 while there is none.</param>
/// <param name="Surge">Sends additional requests at a rate for a time, and returns when each has been answered or given up.</param>
/// <param name="Random">Chooses places.</param>
internal sealed record Target(
    Infrastructure Infrastructure, IReadOnlyList<Replica> Replicas, Func<int, Replica> NewReplica, Func<double> Rate, Func<double, TimeSpan, CancellationToken, Task> Surge, Random Random);

/// <summary>A fault of the running system, which is undone when it ends.</summary>
/// <param name="What">Its name, as --faults takes it.</param>
/// <param name="Where">Chooses a place; null when there is currently none.</param>
/// <param name="Do">Injects the fault there and undoes it; returns the <c>ce_id</c>s of poison records.</param>
/// <param name="Kills">Whether it kills a process, which must then be restarted.</param>
/// <param name="StartsReplicas">Whether it waits for whole replicas to start, which takes a minute or two under load on two cores.</param>
internal sealed record Fault(
    string What, Func<Target, string?> Where, Func<Target, string, CancellationToken, Task<IReadOnlyList<string>?>> Do, bool Kills = false, bool StartsReplicas = false)
{
    /// <summary>Longer than all of our timeouts: a lease of the outbox is 10 s, a consumer's session 8 s.</summary>
    public static readonly TimeSpan Stop = TimeSpan.FromSeconds(13);

    /// <summary>How long a connection, a disk, a table or a pool is disturbed.</summary>
    public static readonly TimeSpan DisturbanceTime = TimeSpan.FromSeconds(8);

    public const string Overload = "overload";
    private const int Times = 3;

    public static readonly IReadOnlyList<Fault> All =
    [
        new("kill", ProcessFaults.AnyProcess, (target, where, _) => ProcessFaults.Kill(target, where), Kills: true),
        new("stop", ProcessFaults.AnyProcess, ProcessFaults.StopAsync),
        new("kafka-away", ProcessFaults.AnyConsumer, (target, where, over) => ProcessFaults.FreezeServerAsync(target, "kafka", where, over), Kills: true),
        new("postgres-away", ProcessFaults.AnyConsumer, (target, where, over) => ProcessFaults.FreezeServerAsync(target, "postgres", where, over), Kills: true),
        new("clock", target => target.Replicas.Any(replica => File.Exists(replica.ClockFile)) ? (target.Random.Next(2) == 0 ? "+1h" : "-1h") : null, ProcessFaults.ShiftClockAsync),
        new("restart", target => target.Replicas.Count > 1 ? $"replica {target.Random.Next(target.Replicas.Count) + 1}" : null, ProcessFaults.RestartAsync, StartsReplicas: true),
        new("scale", target => target.Replicas.Count < Replica.Most ? $"{target.Replicas.Count} to {Replica.Most}" : null, ProcessFaults.ScaleAsync, StartsReplicas: true),
        Network("delay", NetworkFault.Delay),
        Network("drop", NetworkFault.Drop),
        Network("half-open", NetworkFault.HalfOpen),
        Network("reset", NetworkFault.Reset),
        Network("slow", NetworkFault.Slow),
        new("poison", _ => Topics.OrderCreated, (target, topic, _) => TopicFaults.PoisonAsync(target, topic)),
        new("replay", target => Topics.All[target.Random.Next(Topics.All.Length)], TopicFaults.ReplayAsync),
        new("forget", target => ConsumerGroup.Any(target.Random), TopicFaults.ForgetAsync),
        new("rewind", target => ConsumerGroup.Any(target.Random), TopicFaults.RewindAsync, StartsReplicas: true),
        new("lock", DatabaseFaults.AnyDatabase, DatabaseFaults.LockAsync, Kills: true),
        new("connections", _ => "postgres", DatabaseFaults.ExhaustAsync),
        new("migration", DatabaseFaults.AnyDatabase, DatabaseFaults.MigrateAsync, Kills: true),
        new("restore", _ => "postgres", (target, _, over) => DatabaseFaults.RestoreAsync(target, over)),
        new("disk", target => Disk.IsSmall(target.Infrastructure.PostgresFolder) ? "postgres" : null, (target, _, over) => DatabaseFaults.FillDiskAsync(target.Infrastructure.PostgresFolder, over)),
        new("kafka-disk", target => Disk.IsSmall(target.Infrastructure.SmallKafkaFolder) ? "kafka-1" : null, (target, _, over) => DatabaseFaults.FillDiskAsync(target.Infrastructure.SmallKafkaFolder, over)),
        new(Overload, target => target.Rate() > 0 ? $"{Times} times the rate" : null, async (target, _, over) =>
        {
            await target.Surge(Times * target.Rate(), Stop, over);
            return null;
        }),
    ];

    public static async Task WaitAsync(TimeSpan time, CancellationToken over) =>
        await Task.Delay(time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static Fault Network(string what, NetworkFault fault) => new(
        what,
        target =>
        {
            // Servers and services are chosen equally often.
            var proxies = target.Random.Next(2) == 0 ? target.Infrastructure.Proxies : [.. target.Replicas.SelectMany(replica => replica.Proxies.Values)];
            return proxies[target.Random.Next(proxies.Count)].Name;
        },
        async (target, where, over) =>
        {
            var proxy = target.Infrastructure.Proxies.Concat(target.Replicas.SelectMany(replica => replica.Proxies.Values)).Single(proxy => proxy.Name == where);
            proxy.Set(fault);
            await WaitAsync(DisturbanceTime, over);
            proxy.Set(NetworkFault.None);
            return null;
        });
}
