using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Orders;

/// <summary>
/// An order changed; the members are its state after the change. Inventory acts on <c>cancelPending</c>,
/// <c>revisionPending</c>, <c>expired</c>, <c>shipped</c> and on a return; Notifications tells the customer.
/// </summary>
/// <param name="OrderId">UUIDv7; the Kafka key.</param>
/// <param name="Version">Grows by one with every change of the order.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="Status">After the change.</param>
/// <param name="PreviousStatus">Before the change.</param>
/// <param name="HoldId">As in <see cref="OrderCreated"/>.</param>
/// <param name="Lines">The lines that stand: while a revision waits, still the confirmed ones.</param>
/// <param name="Total">Sum of <paramref name="Lines"/>.</param>
/// <param name="Reason">Why, for an order that expired; otherwise null: what people wrote does not travel.</param>
/// <param name="Revision">The latest revision of the lines, or null.</param>
/// <param name="Rejection">Why the order was rejected, or null.</param>
/// <param name="PlacedAt">When the order was accepted, UTC.</param>
/// <param name="UpdatedAt">When this change was made, UTC.</param>
/// <param name="Return">What came back, when this change is a return; the status is then unchanged. Otherwise left out.</param>
public sealed record OrderUpdated(
    Guid OrderId,
    long Version,
    Guid CustomerId,
    OrderStatus Status,
    OrderStatus PreviousStatus,
    Guid? HoldId,
    IReadOnlyList<OrderLine> Lines,
    Money Total,
    string? Reason,
    Revision? Revision,
    Rejection? Rejection,
    DateTimeOffset PlacedAt,
    DateTimeOffset UpdatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderReturn? Return = null)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "order.updated";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "order.updated.v1";
}

/// <summary>A wish to change an order's lines, and what became of it.</summary>
/// <param name="Status">Whether Inventory has answered.</param>
/// <param name="Lines">The wished lines, with their prices.</param>
/// <param name="Rejection">What was short, when it was rejected.</param>
public sealed record Revision(RevisionStatus Status, IReadOnlyList<OrderLine> Lines, Rejection? Rejection);

/// <summary>What became of a revision.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<RevisionStatus>))]
public enum RevisionStatus
{
    /// <summary>Inventory has not answered yet.</summary>
    Pending,

    /// <summary>Its lines are the order's lines now.</summary>
    Applied,

    /// <summary>The order's lines stay as they were.</summary>
    Rejected,
}

/// <summary>Goods of a shipped order that came back.</summary>
/// <param name="Lines">One per product.</param>
/// <param name="Restock">Whether they go back on the shelf, to be sold again.</param>
public sealed record OrderReturn(IReadOnlyList<ReturnedLine> Lines, bool Restock);

/// <summary>Units of a product that came back.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, at least 1; over all returns of an order never more than were shipped.</param>
public sealed record ReturnedLine(Guid ProductId, int Quantity);
