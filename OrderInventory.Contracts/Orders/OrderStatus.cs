using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Orders;

/// <summary>Where an order stands. <c>Rejected</c>, <c>Expired</c>, <c>Cancelled</c> and <c>Delivered</c> are terminal.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<OrderStatus>))]
public enum OrderStatus
{
    /// <summary>Accepted; Inventory has not answered yet.</summary>
    Pending,

    /// <summary>Its stock is reserved.</summary>
    Confirmed,

    /// <summary>Inventory found it short.</summary>
    Rejected,

    /// <summary>Inventory did not answer in time; whatever it reserves later is released.</summary>
    Expired,

    /// <summary>New lines wait for Inventory; the confirmed ones stand until it answers.</summary>
    RevisionPending,

    /// <summary>Cancelled by someone; Inventory has not given the stock back yet.</summary>
    CancelPending,

    /// <summary>Cancelled, and its stock is available again.</summary>
    Cancelled,

    /// <summary>Left the warehouse.</summary>
    Shipped,

    /// <summary>Arrived.</summary>
    Delivered,
}
