using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Orders;

/// <summary>The status of an order. <c>Rejected</c>, <c>Expired</c>, <c>Cancelled</c> and <c>Delivered</c> are terminal.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<OrderStatus>))]
public enum OrderStatus
{
    /// <summary>Accepted; Inventory has not answered yet.</summary>
    Pending,

    /// <summary>Its stock is reserved.</summary>
    Confirmed,

    /// <summary>Inventory did not have enough stock.</summary>
    Rejected,

    /// <summary>Inventory did not answer in time; anything it reserves later is released.</summary>
    Expired,

    /// <summary>New lines wait for Inventory; the confirmed lines stay valid until it answers.</summary>
    RevisionPending,

    /// <summary>A cancel was requested; Inventory has not released the stock yet.</summary>
    CancelPending,

    /// <summary>Cancelled, and its stock is available again.</summary>
    Cancelled,

    /// <summary>Left the warehouse.</summary>
    Shipped,

    /// <summary>Arrived.</summary>
    Delivered,
}
