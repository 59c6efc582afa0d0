namespace OrderInventory.Orders;

/// <summary>Settings, from the section <c>Orders</c>.</summary>
internal sealed class OrdersOptions
{
    /// <summary>How Inventory is asked before an order is accepted.</summary>
    public StockCheckMode StockCheck { get; set; } = StockCheckMode.Rest;

    /// <summary>What happens when Inventory does not answer that question.</summary>
    public WhenStockUnknown WhenStockUnknown { get; set; } = WhenStockUnknown.Accept;
}

internal enum StockCheckMode
{
    /// <summary>By HTTP.</summary>
    Rest,

    /// <summary>Not at all: the reservation alone decides, and a shortage ends as <c>rejected</c>.</summary>
    None,
}

internal enum WhenStockUnknown
{
    /// <summary>The order is accepted as <c>pending</c>; the reservation decides when Inventory is back.</summary>
    Accept,

    /// <summary>The order is refused with 503.</summary>
    Refuse,
}
