using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>A new order with everything that is written with it.</summary>
/// <param name="Order">The order.</param>
/// <param name="By">Who places the order and owns the key.</param>
/// <param name="Key">Its Idempotency-Key.</param>
/// <param name="Fingerprint">The fingerprint of its request.</param>
/// <param name="Created">Its event.</param>
/// <param name="Copies">What it was priced with; must still be current.</param>
internal sealed record Placement(Order Order, Actor By, string Key, byte[] Fingerprint, OutboxMessage Created, CopiesUsed Copies)
{
    /// <summary>Created here, while the request's trace is current.</summary>
    public HistoryEntry Placed { get; } = History.Placed(Order, Created, By);
}

internal enum InsertResult
{
    Inserted,

    /// <summary>Another order has the key.</summary>
    KeyIsTaken,

    /// <summary>A request with the key has not committed yet.</summary>
    KeyIsInFlight,

    /// <summary>A product or the customer has changed since the order was priced.</summary>
    CopiesChanged,
}
