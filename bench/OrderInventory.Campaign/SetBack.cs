using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Histories;
using OrderInventory.Check.Rules;

namespace OrderInventory.Campaign;

/// <summary>
/// A backup that is made under load, and after the load the whole system set back to a moment, as docs/operations.md says under Backup and restore.
/// </summary>
/// <param name="infrastructure">The servers.</param>
/// <param name="cells">All replicas.</param>
/// <param name="moment">In seconds after the start of the load.</param>
internal sealed class SetBack(Infrastructure infrastructure, IReadOnlyList<Cell> cells, int moment)
{
    /// <summary>The topics are new then, and what was on its way is lost.</summary>
    public static readonly IReadOnlyList<string> NotAsked = [EventRules.Published, EventRules.InOrder, EventRules.Handled, NotificationRules.OnePerEvent];

    private const string Name = "moment";
    private const int BackupBefore = 10;
    private (double Before, double After)? _marked;

    /// <param name="now">Milliseconds since the start of the load.</param>
    /// <param name="over">The load is over.</param>
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
        await Task.WhenAll(cells.Select(cell => cell.StopAsync()));
        await infrastructure.RestoreAsync(Name);
        await infrastructure.EmptyRedisAndKafkaAsync();
        foreach (var cell in cells)
        {
            await cell.StartAsync(CancellationToken.None);
        }
    }

    /// <summary>What clients know of the time before the moment: of a request that was under way nobody knows what became of it.</summary>
    public History Cut(History history)
    {
        var (before, after) = _marked ?? throw new CampaignException("The load was over before the moment to go back to.");
        return new(history.Run, history.Faults.Cast<HistoryLine>().Prepend(history.Run).Concat(history.Operations.Where(o => o.Start < after).Select(o => o.End < before ? WithoutTopics(o) : Unanswered(o))));
    }

    /// <summary>That a version was a revision is told by the topics alone.</summary>
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
