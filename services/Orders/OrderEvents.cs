using OrderInventory.Contracts;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;

namespace OrderInventory.Orders;

/// <summary>What this service publishes.</summary>
internal static class OrderEvents
{
    public static readonly EventType<OrderCreated> Created = new(OrderCreated.Topic, OrderCreated.Type, "/orders", EventsJson.Default.OrderCreated);

    public static readonly EventType<OrderUpdated> Updated = new(OrderUpdated.Topic, OrderUpdated.Type, "/orders", EventsJson.Default.OrderUpdated);
}
