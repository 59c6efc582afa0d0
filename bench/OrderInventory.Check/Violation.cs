using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using OrderInventory.Check.Rules;

namespace OrderInventory.Check;

/// <summary>A promise that was not kept.</summary>
/// <param name="Rule">The rule's name.</param>
/// <param name="Text">What was found, with ids.</param>
/// <param name="Lines">The lines of the history that show it.</param>
internal sealed record Violation(string Rule, string Text, IReadOnlyList<HistoryLine> Lines)
{
    public Violation(string rule, string text, params IEnumerable<HistoryLine?> lines)
        : this(rule, text, [.. lines.OfType<HistoryLine>().Distinct()])
    {
    }
}

internal static class Checker
{
    /// <summary>All rules. Each promise is described at its constant.</summary>
    public static readonly IReadOnlyList<(string Name, Func<History, SystemFacts, IEnumerable<Violation>> Find)> Rules =
    [
        (OrderRules.Acknowledged, OrderRules.FindLost),
        (OrderRules.Decided, OrderRules.FindUndecided),
        (OrderRules.WholeOrNothing, OrderRules.FindHalfDone),
        (OrderRules.AcknowledgedChange, OrderRules.FindLostChanges),
        (KeyRules.OneOrderPerKey, KeyRules.Find),
        (ReadRules.NeverOlder, ReadRules.FindOlder),
        (ReadRules.OneWriterPerVersion, ReadRules.FindLostUpdates),
        (ReadRules.CacheAge, ReadRules.FindStale),
        (ReadRules.Listed, ReadRules.FindUnlisted),
        (ReservationRules.OneReservation, ReservationRules.Find),
        (ReservationRules.Hold, ReservationRules.FindHolds),
        (StockRules.ReservedIsHeld, StockRules.FindUnequalReserved),
        (StockRules.LevelIsLedger, StockRules.FindUnequalLevels),
        (StockRules.NeverOversold, StockRules.FindOversold),
        (StockRules.OrderMovesOnce, StockRules.FindUnequalOrders),
        (StockRules.EventMovesOnce, StockRules.FindRepeatedMovements),
        (StockRules.StaffMovesOnce, StockRules.FindStaff),
        (EventRules.Published, EventRules.FindUnpublished),
        (EventRules.InOrder, EventRules.FindDisorder),
        (EventRules.Handled, EventRules.FindUnhandled),
        (EventRules.NoDeadLetter, EventRules.FindDeadLetters),
        (NotificationRules.OnePerEvent, NotificationRules.Find),
        (RegisterRules.Linearizable, RegisterRules.Find),
        (AnswerRules.HaveRetryAfter, AnswerRules.Find),
    ];

    /// <param name="history">The requests and their answers.</param>
    /// <param name="facts">The contents of databases and topics.</param>
    /// <param name="except">Rules that are not checked.</param>
    public static IReadOnlyList<Violation> Check(History history, SystemFacts facts, params IReadOnlyList<string> except) =>
        [.. Rules.Where(rule => !except.Contains(rule.Name)).SelectMany(rule => rule.Find(history, facts))];
}
