namespace OrderInventory.Contracts.Orders;

/// <summary>An order was accepted. Inventory answers it with a <see cref="Inventory.ReservationDecided"/>.</summary>
/// <param name="OrderId">UUIDv7; the Kafka key.</param>
/// <param name="Version">Always 1: an order's first version.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="Status">Always <see cref="OrderStatus.Pending"/>.</param>
/// <param name="HoldId">The hold in Inventory that becomes the reservation, or null.</param>
/// <param name="Lines">As placed; two lines of one product stay two lines.</param>
/// <param name="Total">Sum of the lines, in the order's one currency.</param>
/// <param name="PlacedAt">When the order was accepted, UTC.</param>
public sealed record OrderCreated(
    Guid OrderId,
    long Version,
    Guid CustomerId,
    OrderStatus Status,
    Guid? HoldId,
    IReadOnlyList<OrderLine> Lines,
    Money Total,
    DateTimeOffset PlacedAt)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "order.created";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "order.created.v1";
}
