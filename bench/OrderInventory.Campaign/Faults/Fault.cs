using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Npgsql;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Facts;

namespace OrderInventory.Campaign.Faults;

/// <summary>What a fault needs is not there just now, and the system is as it was.</summary>
internal sealed class FaultNotDoneException(string message) : Exception(message);

/// <summary>What a fault is done to.</summary>
/// <param name="Infrastructure">The servers.</param>
/// <param name="Cells">The replicas that requests are sent to.</param>
/// <param name="NewCell">One more, by its number.</param>
/// <param name="Random">Chooses places.</param>
internal sealed record Target(Infrastructure Infrastructure, IReadOnlyList<Cell> Cells, Func<int, Cell> NewCell, Random Random);

/// <summary>Something that is done to the running system, and undone when it ends.</summary>
/// <param name="What">Its name, as --faults takes it.</param>
/// <param name="Where">Chooses a place; null when there is none just now.</param>
/// <param name="Do">Does it there, and undoes it; returns the <c>ce_id</c>s of what it has poisoned.</param>
internal sealed record Fault(string What, Func<Target, string?> Where, Func<Target, string, CancellationToken, Task<IReadOnlyList<string>?>> Do)
{
    /// <summary>Longer than every timeout of ours: a lease of the outbox is 10 s, a consumer's session 8 s.</summary>
    private static readonly TimeSpan s_stop = TimeSpan.FromSeconds(13);

    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_network = TimeSpan.FromSeconds(8);

    /// <summary>Records of a partition that a consumer group reads again.</summary>
    private const int Rewound = 2000;

    public static readonly IReadOnlyList<Fault> All =
    [
        new("kill", AnyProcess, (target, where, _) => Kill(target, where)),
        new("stop", AnyProcess, StopAsync),
        new("kafka-away", AnyConsumer, (target, where, over) => AwayAsync(target, "kafka", where, over)),
        new("postgres-away", AnyConsumer, (target, where, over) => AwayAsync(target, "postgres", where, over)),
        Network("delay", NetworkFault.Delay),
        Network("drop", NetworkFault.Drop),
        Network("half-open", NetworkFault.HalfOpen),
        Network("reset", NetworkFault.Reset),
        Network("slow", NetworkFault.Slow),
        new("poison", _ => Topics.OrderCreated, (target, topic, _) => PoisonAsync(target, topic)),
        new("replay", target => Topics.All[target.Random.Next(Topics.All.Length)], ReplayAsync),
        new("lock", target => target.Random.Next(2) == 0 ? "orders" : "inventory", LockAsync),
        new("connections", _ => "postgres", ExhaustAsync),
        new("clock", target => target.Cells.Any(cell => File.Exists(cell.ClockFile)) ? (target.Random.Next(2) == 0 ? "+1h" : "-1h") : null, ShiftClockAsync),
        new("restart", target => target.Cells.Count > 1 ? $"replica {target.Random.Next(target.Cells.Count) + 1}" : null, RestartAsync),
        new("scale", target => target.Cells.Count < Cell.Most ? $"{target.Cells.Count} to {Cell.Most}" : null, ScaleAsync),
        new("rewind", AnyGroup, RewindAsync),
        new("disk", target => Disk.IsSmall(target.Infrastructure.PostgresFolder) ? "postgres" : null, (target, _, over) => FillDiskAsync(target.Infrastructure.PostgresFolder, over)),
        new("kafka-disk", target => Disk.IsSmall(target.Infrastructure.SmallKafkaFolder) ? "kafka-1" : null, (target, _, over) => FillDiskAsync(target.Infrastructure.SmallKafkaFolder, over)),
    ];

    private static Fault Network(string what, NetworkFault fault) => new(
        what,
        target => target.Infrastructure.Proxies[target.Random.Next(target.Infrastructure.Proxies.Count)].Name,
        async (target, where, over) =>
        {
            var proxy = target.Infrastructure.Proxies.Single(proxy => proxy.Name == where);
            proxy.Set(fault);
            await WaitAsync(s_network, over);
            proxy.Set(NetworkFault.None);
            return null;
        });

    private static string AnyProcess(Target target)
    {
        var places = target.Infrastructure.Servers.Select(server => server.Name)
            .Concat(target.Cells.SelectMany(cell => Cell.Services.Select(service => $"{service}-{cell.Number}"))).ToList();
        return places[target.Random.Next(places.Count)];
    }

    private static int ProcessOf(Target target, string where)
    {
        if (target.Infrastructure.Servers.FirstOrDefault(server => server.Name == where) is { } found)
        {
            return found.ProcessId;
        }

        var at = where.LastIndexOf('-');
        return target.Cells[int.Parse(where[(at + 1)..], CultureInfo.InvariantCulture) - 1].ProcessOf(where[..at]);
    }

    private static Task<IReadOnlyList<string>?> Kill(Target target, string where)
    {
        if (ProcessOf(target, where) is > 0 and var process)
        {
            Signals.Send(process, "KILL");
        }

        return Task.FromResult<IReadOnlyList<string>?>(null);
    }

    private static async Task<IReadOnlyList<string>?> StopAsync(Target target, string where, CancellationToken over)
    {
        if (ProcessOf(target, where) is not (> 0 and var process))
        {
            return null;
        }

        // PostgreSQL's work is done by its children.
        var all = where == "postgres" ? Descendants(process) : [process];
        all.ForEach(id => Signals.Send(id, "STOP"));
        await WaitAsync(s_stop, over);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    private static string AnyGroup(Target target) => ConsumerGroup.Names[target.Random.Next(ConsumerGroup.Names.Count)];

    private static string AnyConsumer(Target target) => $"{AnyGroup(target)}-{target.Cells[target.Random.Next(target.Cells.Count)].Number}";

    /// <summary>A server does not answer, and while it does not a service that waits for it dies with what it has in its hands.</summary>
    private static async Task<IReadOnlyList<string>?> AwayAsync(Target target, string server, string where, CancellationToken over)
    {
        var all = target.Infrastructure.Servers.Where(s => s.Name.StartsWith(server, StringComparison.Ordinal) && s.ProcessId > 0).SelectMany(s => Descendants(s.ProcessId)).ToList();
        all.ForEach(id => Signals.Send(id, "STOP"));
        await WaitAsync(s_away, over);
        await Kill(target, where);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    private static List<int> Descendants(int process)
    {
        var parents = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0)
            .Select(id => (Id: id, Parent: ParentOf(id))).ToLookup(entry => entry.Parent, entry => entry.Id);
        var found = new List<int> { process };
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(parents[found[i]]);
        }

        return found;
    }

    private static int ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Records that nobody can read, between good ones.</summary>
    private static async Task<IReadOnlyList<string>?> PoisonAsync(Target target, string topic)
    {
        using var producer = Producer(target);
        var ids = new List<string>();
        foreach (var payload in (string[])["not json", "{\"orderId\":null}"])
        {
            var id = Guid.CreateVersion7();
            ids.Add(id.ToString());
            await producer.ProduceAsync(topic, new()
            {
                Key = Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()),
                Value = Encoding.UTF8.GetBytes(payload),
                Headers = [new("ce_id", Encoding.UTF8.GetBytes(id.ToString())), new("ce_type", Encoding.UTF8.GetBytes($"{topic}.v1"))],
            });
        }

        return ids;
    }

    /// <summary>Everything that a topic has, once more, as after a restore of the broker or a producer that went back.</summary>
    private static async Task<IReadOnlyList<string>?> ReplayAsync(Target target, string topic, CancellationToken over)
    {
        using var producer = Producer(target);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = target.Infrastructure.Kafka,
            GroupId = "replay",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        }).SetLogHandler(static (_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        foreach (var partition in admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Select(p => new TopicPartition(topic, p.PartitionId)))
        {
            // Only what is there now: what comes back is not sent again.
            var end = consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(10)).High.Value;
            consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
            for (var at = 0L; at < end - 1 && !over.IsCancellationRequested;)
            {
                if (consumer.Consume(TimeSpan.FromSeconds(5)) is not { } record || record.Offset.Value >= end)
                {
                    break;
                }

                at = record.Offset.Value;
                producer.Produce(record.TopicPartition, record.Message);
            }
        }

        await Task.Run(() => producer.Flush(TimeSpan.FromSeconds(20)), CancellationToken.None);
        return null;
    }

    private static IProducer<byte[], byte[]> Producer(Target target) =>
        new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = target.Infrastructure.Kafka, Acks = Acks.All, MessageTimeoutMs = 20_000 }).SetLogHandler(static (_, _) => { }).Build();

    /// <summary>A table that somebody locks, as a careless migration does: connections wait until the pools are empty.</summary>
    private static async Task<IReadOnlyList<string>?> LockAsync(Target target, string where, CancellationToken over)
    {
        await using var connection = await ConnectAsync(target, where);
        await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
        await using var locking = new NpgsqlCommand($"LOCK TABLE {(where == "orders" ? "orders" : "stock_levels")} IN ACCESS EXCLUSIVE MODE", connection, transaction);
        await locking.ExecuteNonQueryAsync(CancellationToken.None);
        await WaitAsync(s_network, over);
        return null;
    }

    /// <summary>PostgreSQL has no connection left for anybody new.</summary>
    private static async Task<IReadOnlyList<string>?> ExhaustAsync(Target target, string where, CancellationToken over)
    {
        var connections = new List<NpgsqlConnection>();
        try
        {
            while (connections.Count < 400)
            {
                connections.Add(await ConnectAsync(target, "customers"));
            }
        }
        catch (NpgsqlException)
        {
            // Now there is none.
        }

        await WaitAsync(s_network, over);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return null;
    }

    private static async Task<NpgsqlConnection> ConnectAsync(Target target, string database)
    {
        var connection = new NpgsqlConnection($"{target.Infrastructure.Databases[database]};Pooling=false;Timeout=5;CommandTimeout=60");
        try
        {
            await connection.OpenAsync(CancellationToken.None);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The clock of the one service that runs under libfaketime is set by an hour, and later back.</summary>
    private static async Task<IReadOnlyList<string>?> ShiftClockAsync(Target target, string where, CancellationToken over)
    {
        foreach (var cell in target.Cells.Where(cell => File.Exists(cell.ClockFile)))
        {
            await File.WriteAllTextAsync(cell.ClockFile, $"{where}\n", CancellationToken.None);
        }

        await WaitAsync(s_stop, over);
        foreach (var cell in target.Cells.Where(cell => File.Exists(cell.ClockFile)))
        {
            await File.WriteAllTextAsync(cell.ClockFile, "+0\n", CancellationToken.None);
        }

        return null;
    }

    /// <summary>A whole replica is stopped in order and started again, as a rolling update does; the others serve meanwhile.</summary>
    private static async Task<IReadOnlyList<string>?> RestartAsync(Target target, string where, CancellationToken over)
    {
        var cell = target.Cells[int.Parse(where.Split(' ')[1], CultureInfo.InvariantCulture) - 1];
        await cell.StopAsync();
        await cell.StartAsync(CancellationToken.None);
        return null;
    }

    /// <summary>More replicas come while requests go on, take partitions and slots of the outbox over, and go again.</summary>
    private static async Task<IReadOnlyList<string>?> ScaleAsync(Target target, string where, CancellationToken over)
    {
        var more = Enumerable.Range(target.Cells.Count + 1, Cell.Most - target.Cells.Count).Select(target.NewCell).ToList();
        try
        {
            foreach (var cell in more)
            {
                await cell.StartAsync(CancellationToken.None);
            }

            await WaitAsync(s_stop, over);
        }
        catch (CampaignException problem)
        {
            // Under load one more may find no processor time. Those that requests are sent to are as they were.
            throw new FaultNotDoneException(problem.Message);
        }
        finally
        {
            await Task.WhenAll(more.Select(cell => cell.DisposeAsync().AsTask()));
        }

        return null;
    }

    /// <summary>A consumer group is set back, which Kafka allows while it has no members: the replicas are stopped in order and started again.</summary>
    private static async Task<IReadOnlyList<string>?> RewindAsync(Target target, string group, CancellationToken over)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = target.Infrastructure.Kafka }).SetLogHandler(static (_, _) => { }).Build();
        using var consumers = new ConsumerGroup(target.Infrastructure.Kafka, group);
        var back = consumers.Committed(Topics.Partitions(admin, TimeSpan.FromSeconds(10)))
            .ConvertAll(partition => new TopicPartitionOffset(partition.TopicPartition, Math.Max(0, partition.Offset.Value - Rewound)));
        await Task.WhenAll(target.Cells.Select(cell => cell.StopAsync()));
        try
        {
            for (var begun = Stopwatch.GetTimestamp(); ;)
            {
                try
                {
                    consumers.Commit(back);
                    break;
                }
                catch (KafkaException) when (Stopwatch.GetElapsedTime(begun) < s_stop)
                {
                    // Static members do not leave; the group is empty when their sessions are over.
                    await Task.Delay(500, CancellationToken.None);
                }
            }
        }
        finally
        {
            foreach (var cell in target.Cells)
            {
                await cell.StartAsync(CancellationToken.None);
            }
        }

        return null;
    }

    /// <summary>A server that finds no room for what it must write ends, and is started again until there is room.</summary>
    private static async Task<IReadOnlyList<string>?> FillDiskAsync(string folder, CancellationToken over)
    {
        using (Disk.Fill(folder))
        {
            await WaitAsync(s_network, over);
        }

        return null;
    }

    private static async Task WaitAsync(TimeSpan time, CancellationToken over) =>
        await Task.Delay(time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
