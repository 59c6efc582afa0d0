using System.Globalization;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Facts;

namespace OrderInventory.Campaign.Faults;

/// <summary>Faults of processes: of services, of whole replicas, of servers.</summary>
internal static class ProcessFaults
{
    private static readonly TimeSpan s_freezeTime = TimeSpan.FromSeconds(4);

    public static string AnyProcess(Target target)
    {
        var places = target.Infrastructure.Servers.Select(server => server.Name)
            .Concat(target.Replicas.SelectMany(replica => Replica.Services.Select(service => $"{service}-{replica.Number}"))).ToList();
        return places[target.Random.Next(places.Count)];
    }

    private static int ProcessOf(Target target, string where)
    {
        if (target.Infrastructure.Servers.FirstOrDefault(server => server.Name == where) is { } found)
        {
            return found.ProcessId;
        }

        var at = where.LastIndexOf('-');
        return target.Replicas[int.Parse(where[(at + 1)..], CultureInfo.InvariantCulture) - 1].ProcessOf(where[..at]);
    }

    public static Task<IReadOnlyList<string>?> Kill(Target target, string where)
    {
        if (ProcessOf(target, where) is > 0 and var process)
        {
            Signals.Send(process, "KILL");
        }

        return Task.FromResult<IReadOnlyList<string>?>(null);
    }

    public static async Task<IReadOnlyList<string>?> StopAsync(Target target, string where, CancellationToken over)
    {
        if (ProcessOf(target, where) is not (> 0 and var process))
        {
            return null;
        }

        // PostgreSQL works in child processes.
        var all = where == "postgres" ? Signals.Descendants(process) : [process];
        all.ForEach(id => Signals.Send(id, "STOP"));
        await Fault.WaitAsync(Fault.Stop, over);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    public static string AnyConsumer(Target target) => $"{ConsumerGroup.Any(target.Random)}-{target.Replicas[target.Random.Next(target.Replicas.Count)].Number}";

    /// <summary>Stops a server from answering, and meanwhile kills a service that waits for it in the middle of its work.</summary>
    public static async Task<IReadOnlyList<string>?> FreezeServerAsync(Target target, string server, string where, CancellationToken over)
    {
        var all = target.Infrastructure.Servers.Where(s => s.Name.StartsWith(server, StringComparison.Ordinal) && s.ProcessId > 0).SelectMany(s => Signals.Descendants(s.ProcessId)).ToList();
        all.ForEach(id => Signals.Send(id, "STOP"));
        await Fault.WaitAsync(s_freezeTime, over);
        await Kill(target, where);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    /// <summary>Shifts the clock of the one service that runs under libfaketime by an hour, and later back.</summary>
    public static async Task<IReadOnlyList<string>?> ShiftClockAsync(Target target, string where, CancellationToken over)
    {
        foreach (var replica in target.Replicas.Where(replica => File.Exists(replica.ClockFile)))
        {
            await File.WriteAllTextAsync(replica.ClockFile, $"{where}\n", CancellationToken.None);
        }

        await Fault.WaitAsync(Fault.Stop, over);
        foreach (var replica in target.Replicas.Where(replica => File.Exists(replica.ClockFile)))
        {
            await File.WriteAllTextAsync(replica.ClockFile, "+0\n", CancellationToken.None);
        }

        return null;
    }

    /// <summary>Stops a whole replica in order and starts it again, as a rolling update does; the others serve meanwhile.</summary>
    public static async Task<IReadOnlyList<string>?> RestartAsync(Target target, string where, CancellationToken over)
    {
        var replica = target.Replicas[int.Parse(where.Split(' ')[1], CultureInfo.InvariantCulture) - 1];
        await replica.StopAsync();
        await replica.StartAsync(CancellationToken.None);
        return null;
    }

    /// <summary>Starts more replicas while requests continue; they take over partitions and slots of the outbox, and are then stopped.</summary>
    public static async Task<IReadOnlyList<string>?> ScaleAsync(Target target, string where, CancellationToken over)
    {
        var more = Enumerable.Range(target.Replicas.Count + 1, Replica.Most - target.Replicas.Count).Select(target.NewReplica).ToList();
        try
        {
            foreach (var replica in more)
            {
                await replica.StartAsync(CancellationToken.None);
            }

            await Fault.WaitAsync(Fault.Stop, over);
        }
        catch (CampaignException problem)
        {
            // Under load another replica may not get enough processor time to start. The replicas that requests are sent to are unchanged.
            throw new FaultNotDoneException(problem.Message);
        }
        finally
        {
            await Task.WhenAll(more.Select(replica => replica.DisposeAsync().AsTask()));
        }

        return null;
    }
}
