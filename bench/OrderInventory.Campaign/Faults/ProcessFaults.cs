using System.Globalization;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Facts;

namespace OrderInventory.Campaign.Faults;

/// <summary>What is done to processes: of services, of whole replicas, of servers.</summary>
internal static class ProcessFaults
{
    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(4);

    public static string AnyProcess(Target target)
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

        // PostgreSQL's work is done by its children.
        var all = where == "postgres" ? Signals.Descendants(process) : [process];
        all.ForEach(id => Signals.Send(id, "STOP"));
        await Fault.WaitAsync(Fault.Stop, over);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    public static string AnyConsumer(Target target) => $"{ConsumerGroup.Any(target.Random)}-{target.Cells[target.Random.Next(target.Cells.Count)].Number}";

    /// <summary>A server does not answer, and while it does not a service that waits for it dies with what it has in its hands.</summary>
    public static async Task<IReadOnlyList<string>?> AwayAsync(Target target, string server, string where, CancellationToken over)
    {
        var all = target.Infrastructure.Servers.Where(s => s.Name.StartsWith(server, StringComparison.Ordinal) && s.ProcessId > 0).SelectMany(s => Signals.Descendants(s.ProcessId)).ToList();
        all.ForEach(id => Signals.Send(id, "STOP"));
        await Fault.WaitAsync(s_away, over);
        await Kill(target, where);
        all.ForEach(id => Signals.Send(id, "CONT"));
        return null;
    }

    /// <summary>The clock of the one service that runs under libfaketime is set by an hour, and later back.</summary>
    public static async Task<IReadOnlyList<string>?> ShiftClockAsync(Target target, string where, CancellationToken over)
    {
        foreach (var cell in target.Cells.Where(cell => File.Exists(cell.ClockFile)))
        {
            await File.WriteAllTextAsync(cell.ClockFile, $"{where}\n", CancellationToken.None);
        }

        await Fault.WaitAsync(Fault.Stop, over);
        foreach (var cell in target.Cells.Where(cell => File.Exists(cell.ClockFile)))
        {
            await File.WriteAllTextAsync(cell.ClockFile, "+0\n", CancellationToken.None);
        }

        return null;
    }

    /// <summary>A whole replica is stopped in order and started again, as a rolling update does; the others serve meanwhile.</summary>
    public static async Task<IReadOnlyList<string>?> RestartAsync(Target target, string where, CancellationToken over)
    {
        var cell = target.Cells[int.Parse(where.Split(' ')[1], CultureInfo.InvariantCulture) - 1];
        await cell.StopAsync();
        await cell.StartAsync(CancellationToken.None);
        return null;
    }

    /// <summary>More replicas come while requests go on, take partitions and slots of the outbox over, and go again.</summary>
    public static async Task<IReadOnlyList<string>?> ScaleAsync(Target target, string where, CancellationToken over)
    {
        var more = Enumerable.Range(target.Cells.Count + 1, Cell.Most - target.Cells.Count).Select(target.NewCell).ToList();
        try
        {
            foreach (var cell in more)
            {
                await cell.StartAsync(CancellationToken.None);
            }

            await Fault.WaitAsync(Fault.Stop, over);
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
}
