using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Orders;

/// <summary>
/// An order changed; the members are its state after the change. Inventory acts on <c>cancelPending</c>,
/// <c>revisionPending</c>, <c>expired</c>, <c>shipped</c> and on a return; Notifications informs the customer.
/// </summary>
/// <param name="OrderId">UUIDv7; the Kafka key.</param>
/// <param name="Version">Grows by one with every change of the order.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="Status">After the change.</param>
/// <param name="PreviousStatus">Before the change.</param>
/// <param name="HoldId">As in <see cref="OrderCreated"/>.</param>
/// <param name="Lines">The valid lines: while a revision is pending, still the confirmed ones.</param>
/// <param name="Total">Sum of <paramref name="Lines"/>.</param>
/// <param name="Reason">Why the order expired; otherwise null, because free text is not published.</param>
/// <param name="Revision">The latest revision of the lines, or null.</param>
/// <param name="Rejection">Why the order was rejected, or null.</param>
/// <param name="PlacedAt">When the order was accepted, UTC.</param>
/// <param name="UpdatedAt">When this change was made, UTC.</param>
/// <param name="Return">What came back, when this change is a return; the status is then unchanged. Left out otherwise.</param>
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

/// <summary>A requested change of an order's lines, and its outcome.</summary>
/// <param name="Status">Whether Inventory has answered.</param>
/// <param name="Lines">The requested lines, with their prices.</param>
/// <param name="Rejection">What was short, when it was rejected.</param>
public sealed record Revision(RevisionStatus Status, IReadOnlyList<OrderLine> Lines, Rejection? Rejection);

/// <summary>The state of a revision.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<RevisionStatus>))]
public enum RevisionStatus
{
    /// <summary>Inventory has not answered yet.</summary>
    Pending,

    /// <summary>Its lines are the order's lines now.</summary>
    Applied,

    /// <summary>The order's lines are unchanged.</summary>
    Rejected,
}

/// <summary>Goods of a shipped order that came back.</summary>
/// <param name="Lines">One per product.</param>
/// <param name="Restock">Whether they go back into stock, to be sold again.</param>
public sealed record OrderReturn(IReadOnlyList<ReturnedLine> Lines, bool Restock);

/// <summary>Units of a product that came back.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, at least 1; all returns of an order together never exceed what was shipped.</param>
public sealed record ReturnedLine(Guid ProductId, int Quantity);
