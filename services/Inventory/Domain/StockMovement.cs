namespace OrderInventory.Inventory.Domain;

/// <summary>Why a number changed.</summary>
public enum MovementKind
{
    /// <summary>Staff set the number, or it was set for the first time.</summary>
    Set,

    /// <summary>Staff added or removed units.</summary>
    Adjusted,

    /// <summary>A stocktake found another number.</summary>
    Counted,

    /// <summary>Units were promised to an order.</summary>
    Reserved,

    /// <summary>An order gave its units back.</summary>
    Released,

    /// <summary>An order's units left the warehouse.</summary>
    Shipped,

    /// <summary>Units went to another location, or came from one.</summary>
    Transferred,

    /// <summary>Units were kept for a cart.</summary>
    Held,

    /// <summary>A hold gave its units back, to be free or to become an order's.</summary>
    HoldReleased,

    /// <summary>A hold's time was over.</summary>
    HoldExpired,

    /// <summary>An order's units came back; both changes are 0 when they did not go back on the shelf.</summary>
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

    /// <summary>The event that caused it, for tracing a number back to its cause.</summary>
    public Guid? EventId { get; init; }

    /// <summary>Later than that of the product's row before it.</summary>
    public DateTimeOffset OccurredAt { get; init; }

    /// <summary>The subject of whoever asked for it; null for what an event or a timer caused.</summary>
    public string? Sub { get; init; }

    /// <summary>The role by which they did.</summary>
    public string? Role { get; init; }
}
