using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;

namespace OrderInventory.Inventory.Domain;

/// <summary>Units of a product that an order holds, at one location.</summary>
internal sealed record ReservedLine(Guid ProductId, string Location, long Quantity);

/// <summary>
/// Everything that Inventory knows about one order: the last version that it has handled, what it decided, and what the order holds. The row is
/// both the lock and the memory: <c>order.created</c> and <c>order.updated</c> are separate topics, so a cancellation may arrive before its
/// order. It then leaves this row in state <c>released</c>, and the late <c>order.created</c> finds version 1 already handled.
/// </summary>
internal sealed class Reservation
{
    public Reservation(Guid orderId)
        : this(orderId, 0, null, [], [], default, [], [])
    {
    }

    public Reservation(
        Guid orderId, long orderVersion, ReservationOutcome? outcome, IReadOnlyList<ReservedLine> lines, IReadOnlyList<Shortage> shortages, DateTimeOffset decidedAt,
        IReadOnlyList<ReservedLine> shipped, IReadOnlyList<long> returnedVersions)
    {
        OrderId = orderId;
        OrderVersion = orderVersion;
        Outcome = outcome;
        Lines = lines;
        Shortages = shortages;
        DecidedAt = decidedAt;
        Shipped = shipped;
        ReturnedVersions = returnedVersions;
        IsNew = orderVersion == 0;
    }

    public Guid OrderId { get; }
    public long OrderVersion { get; private set; }

    /// <summary>Null only before the first decision.</summary>
    public ReservationOutcome? Outcome { get; private set; }

    /// <summary>What the order holds now, one line per product and location.</summary>
    public IReadOnlyList<ReservedLine> Lines { get; private set; }

    /// <summary>What was short, when the last outcome is a rejection.</summary>
    public IReadOnlyList<Shortage> Shortages { get; private set; }

    public DateTimeOffset DecidedAt { get; private set; }

    /// <summary>
    /// What has left the warehouse and has not come back, one line per product and location. A line of which everything has come back stays, with
    /// quantity 0, so that the order is still found by where its units were shipped from.
    /// </summary>
    public IReadOnlyList<ReservedLine> Shipped { get; private set; }

    /// <summary>The order versions whose returns have been taken back.</summary>
    public IReadOnlyList<long> ReturnedVersions { get; private set; }

    public bool IsNew { get; }
    public bool IsChanged { get; private set; }

    /// <summary>Whether this version, or a later one, was handled before.</summary>
    public bool HasHandled(long orderVersion) => orderVersion <= OrderVersion;

    /// <summary>
    /// Whether this version's return was taken back before. The last handled version does not answer that: other events carry the order's state,
    /// which the later event replaces, but each return is about different goods. A return that became a dead letter must still be taken back
    /// after a later return has been. A return is identified by the order version: it has no other id that is the same in each of its events.
    /// </summary>
    public bool HasAppliedReturn(long orderVersion) => ReturnedVersions.Contains(orderVersion);

    /// <summary>Whether the order holds stock that can be revised or shipped.</summary>
    public bool IsLive => Lines.Count > 0
        && Outcome is (ReservationOutcome.Reserved or ReservationOutcome.Revised or ReservationOutcome.RevisionRejected);

    public void Decide(long orderVersion, ReservationOutcome outcome, IReadOnlyList<ReservedLine> lines, IReadOnlyList<Shortage> shortages, DateTimeOffset now)
    {
        OrderVersion = orderVersion;
        Outcome = outcome;
        Lines = lines;
        Shortages = shortages;
        // Replicas' clocks differ, but the time must rise with the version.
        DecidedAt = now > DecidedAt ? now : DecidedAt.AddMicroseconds(1);
        IsChanged = true;
    }

    /// <summary>Records that the order's units have left.</summary>
    public void Ship(IReadOnlyList<ReservedLine> shipped)
    {
        Shipped = shipped;
        IsChanged = true;
    }

    /// <summary>Records a return; <paramref name="rest"/> is what has not come back.</summary>
    public void ApplyReturn(long orderVersion, IReadOnlyList<ReservedLine> rest)
    {
        Shipped = rest;
        ReturnedVersions = [.. ReturnedVersions, orderVersion];
        IsChanged = true;
    }
}
