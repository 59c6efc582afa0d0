using OrderInventory.Contracts.Orders;

namespace OrderInventory.Notifications.Domain;

/// <summary>The names of the templates, and which of them tells of which change.</summary>
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
    public const string LowStock = "lowStock";
    public const string LowStockLeft = "lowStockLeft";

    public static readonly string[] All =
        [OrderReceived, OrderConfirmed, OrderRejected, OrderExpired, OrderCancelled, OrderRevised, OrderShipped, OrderDelivered, LowStock, LowStockLeft];

    /// <summary>What staff can be told of.</summary>
    public static readonly string[] ForStaff = [LowStock, LowStockLeft];

    /// <summary>Null for the steps in between, whose outcome follows by itself.</summary>
    public static string? For(OrderUpdated order) => order.Status switch
    {
        OrderStatus.Confirmed => order.PreviousStatus == OrderStatus.RevisionPending ? OrderRevised : OrderConfirmed,
        OrderStatus.Rejected => OrderRejected,
        OrderStatus.Expired => OrderExpired,
        OrderStatus.Cancelled => OrderCancelled,
        OrderStatus.Shipped => OrderShipped,
        OrderStatus.Delivered => OrderDelivered,
        _ => null,
    };
}
