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

    /// <summary>Staff's reason, for a change that staff made.</summary>
    public string? Reason { get; init; }

    /// <summary>Staff's own reference, such as a return number.</summary>
    public string? Reference { get; init; }

    /// <summary>The event that caused it, for tracing a number back to its cause.</summary>
    public Guid? EventId { get; init; }

    public DateTimeOffset OccurredAt { get; init; }
}
