using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders;

/// <summary>What this service publishes.</summary>
internal static class OrderEvents
{
    public static readonly EventType<OrderCreated> Created = new(OrderCreated.Topic, OrderCreated.Type, "/orders", EventsJson.Default.OrderCreated);

    public static readonly EventType<OrderUpdated> Updated = new(OrderUpdated.Topic, OrderUpdated.Type, "/orders", EventsJson.Default.OrderUpdated);

    public static readonly EventType<StockCheckRequested> StockCheckRequested =
        new(Contracts.Inventory.StockCheckRequested.Topic, Contracts.Inventory.StockCheckRequested.Type, "/orders", EventsJson.Default.StockCheckRequested);

    public static OrderCreated CreatedOf(Order order) =>
        new(order.Id, 1, order.CustomerId, OrderStatus.Pending, order.HoldId, order.Lines, order.TotalPrice, order.PlacedAt);

    /// <summary>The same event with only what Inventory needs of the lines, for an event that would be too large.</summary>
    public static OrderUpdated Smaller(OrderUpdated updated) => updated with
    {
        Lines = [.. updated.Lines.Select(line => line with { Sku = "", Name = "" })],
        Revision = null,
    };

    public static OrderUpdated UpdatedOf(Order order, OrderStatus previousStatus, OrderReturn? returned = null) => new(
        order.Id, order.Version, order.CustomerId, order.Status, previousStatus, order.HoldId, order.Lines, order.TotalPrice,
        // Free text is not published: every consumer receives an event, and nobody can take it back.
        order.Status == OrderStatus.Expired ? order.Reason : null, order.Revision, order.Rejection, order.PlacedAt, order.UpdatedAt, returned);
}
