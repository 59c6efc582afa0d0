using OrderInventory.Contracts.Orders;

namespace OrderInventory.Notifications.Domain;

/// <summary>The names of the templates, and which template reports which change.</summary>
internal static class Templates
{
    public const string OrderReceived = "orderReceived";
    public const string OrderConfirmed = "orderConfirmed";
    public const string OrderRejected = "orderRejected";
    public const string OrderExpired = "orderExpired";
    public const string OrderCancelled = "orderCancelled";
    public const string OrderRevised = "orderRevised";
    public const string OrderShipped = "orderShipped";
    public const string OrderDelivered = "orderDelivered";
    public const string OrderReturned = "orderReturned";
    public const string ShipmentChanged = "shipmentChanged";
    public const string LowStock = "lowStock";
    public const string LowStockLeft = "lowStockLeft";

    public static readonly string[] All =
    [
        OrderReceived, OrderConfirmed, OrderRejected, OrderExpired, OrderCancelled, OrderRevised, OrderShipped, ShipmentChanged, OrderDelivered, OrderReturned,
        LowStock, LowStockLeft,
    ];

    /// <summary>What staff can be notified of.</summary>
    public static readonly string[] ForStaff = [LowStock, LowStockLeft];

    /// <summary>Templates with shipment details, which are requested from Orders when the message is sent.</summary>
    public static readonly string[] WithShipment = [OrderShipped, ShipmentChanged];

    /// <summary>
    /// Chooses the template by what happened: a return does not change the status, and other changes may not either. Null for intermediate steps,
    /// because their outcome follows in another event.
    /// </summary>
    public static string? For(OrderUpdated order) => order.Status switch
    {
        _ when order.Return is not null => OrderReturned,
        OrderStatus.Shipped when order.PreviousStatus == OrderStatus.Shipped => ShipmentChanged,
        _ when order.Status == order.PreviousStatus => null,
        OrderStatus.Confirmed => order.PreviousStatus == OrderStatus.RevisionPending ? OrderRevised : OrderConfirmed,
        OrderStatus.Rejected => OrderRejected,
        OrderStatus.Expired => OrderExpired,
        OrderStatus.Cancelled => OrderCancelled,
        OrderStatus.Shipped => OrderShipped,
        OrderStatus.Delivered => OrderDelivered,
        _ => null,
    };
}
