using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Histories;
using OrderInventory.Check.Rules;

namespace OrderInventory.Campaign;

/// <summary>
/// Makes a backup under load, and after the load restores the whole system to a moment, as docs/operations.md describes under Backup and restore.
/// </summary>
/// <param name="infrastructure">The servers.</param>
/// <param name="replicas">All replicas.</param>
/// <param name="moment">The moment to restore, in seconds after the start of the load.</param>
internal sealed class SetBack(Infrastructure infrastructure, IReadOnlyList<Replica> replicas, int moment)
{
    /// <summary>Rules that are not checked: after the restore the topics are new, and events on their way are lost.</summary>
    public static readonly IReadOnlyList<string> SkippedRules = [EventRules.Published, EventRules.InOrder, EventRules.Handled, NotificationRules.OnePerEvent];

    private const string Name = "moment";
    private const int BackupBefore = 10;
    private (double Before, double After)? _marked;

    /// <param name="now">Milliseconds since the start of the load.</param>
    /// <param name="over">Cancelled when the load ends.</param>
    public async Task BackUpAsync(Func<double> now, CancellationToken over)
    {
        await WaitUntilAsync(moment - BackupBefore);
        await infrastructure.BackUpAsync();
        await WaitUntilAsync(moment);
        var before = now();
        await infrastructure.MarkAsync(Name);
        _marked = (before, now());

        async Task WaitUntilAsync(int second) =>
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(0, (second * 1000) - now())), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async Task RestoreAsync()
    {
        await Task.WhenAll(replicas.Select(replica => replica.StopAsync()));
        await infrastructure.RestoreAsync(Name);
        await infrastructure.EmptyRedisAndKafkaAsync();
        foreach (var replica in replicas)
        {
            await replica.StartAsync(CancellationToken.None);
        }
    }

    /// <summary>The history before the moment; the outcome of requests that were in flight then is unknown.</summary>
    public History Cut(History history)
    {
        var (before, after) = _marked ?? throw new CampaignException("The load ended before the moment to restore.");
        return new(history.Run, history.Faults.Cast<HistoryLine>().Prepend(history.Run).Concat(history.Operations.Where(o => o.Start < after).Select(o => o.End < before ? WithoutTopics(o) : Unanswered(o))));
    }

    /// <summary>Removes a revision's version, because only the topics show that a version was a revision.</summary>
    private static Operation WithoutTopics(Operation o) => o.Op == Op.Revise ? o with { Number = o.Number, Version = null } : o;

    private static Operation Unanswered(Operation o) => o with
    {
        Number = o.Number,
        Status = null,
        Error = "the moment",
        Version = null,
        State = null,
        OnHand = null,
        Items = null,
        Order = o.Op == Op.Place ? null : o.Order,
        Hold = o.Op == Op.Hold ? null : o.Hold,
    };
}
