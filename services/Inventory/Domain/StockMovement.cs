namespace OrderInventory.Inventory.Domain;

/// <summary>Why a quantity changed.</summary>
public enum MovementKind
{
    /// <summary>Staff set the quantity, or it was set for the first time.</summary>
    Set,

    /// <summary>Staff added or removed units.</summary>
    Adjusted,

    /// <summary>A stocktake found a different quantity.</summary>
    Counted,

    /// <summary>Units were promised to an order.</summary>
    Reserved,

    /// <summary>Units of an order were released.</summary>
    Released,

    /// <summary>An order's units left the warehouse.</summary>
    Shipped,

    /// <summary>Units went to another location, or came from one.</summary>
    Transferred,

    /// <summary>Units were held for a cart.</summary>
    Held,

    /// <summary>Units of a hold were released, to be free or to be reserved for an order.</summary>
    HoldReleased,

    /// <summary>A hold expired.</summary>
    HoldExpired,

    /// <summary>An order's units came back; both changes are 0 when the units were not restocked.</summary>
    Returned,
}

/// <summary>A row of the append-only ledger: every change of a level has one, so levels can be rebuilt from it.</summary>
internal sealed class StockMovement
{
    public Guid ProductId { get; init; }
    public Guid Id { get; init; }
    public required string Location { get; init; }
    public MovementKind Kind { get; init; }
    public long OnHandDelta { get; init; }
    public long ReservedDelta { get; init; }

    /// <summary>The order, for a change that an order caused.</summary>
    public Guid? OrderId { get; init; }

    /// <summary>The hold, for a change that a hold caused.</summary>
    public Guid? HoldId { get; init; }

    /// <summary>Staff's reason, for a change that staff made.</summary>
    public string? Reason { get; init; }

    /// <summary>Staff's own reference, such as a return number.</summary>
    public string? Reference { get; init; }

    /// <summary>The event that caused it, for tracing a quantity back to its cause.</summary>
    public Guid? EventId { get; init; }

    /// <summary>Later than that of the product's previous row.</summary>
    public DateTimeOffset OccurredAt { get; init; }

    /// <summary>The subject of the caller who requested it; null when an event or a timer caused it.</summary>
    public string? Sub { get; init; }

    /// <summary>The caller's role.</summary>
    public string? Role { get; init; }
}
