namespace OrderInventory.Orders;

/// <summary>Settings, from the section <c>Orders</c>.</summary>
internal sealed class OrdersOptions
{
    /// <summary>How Inventory is asked before an order is accepted.</summary>
    public StockCheckMode StockCheck { get; set; } = StockCheckMode.Rest;

    /// <summary>What happens when Inventory does not answer that question.</summary>
    public WhenStockUnknown WhenStockUnknown { get; set; } = WhenStockUnknown.Accept;

    /// <summary>A pending order that Inventory has not answered for this long, by the database's clock, expires.</summary>
    public TimeSpan PendingTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>An order that waits for Inventory for this long is asked about.</summary>
    public TimeSpan AskAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often orders that wait are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(10);
}

internal enum StockCheckMode
{
    /// <summary>By HTTP.</summary>
    Rest,

    /// <summary>By Kafka: a question on one topic, the answer on another.</summary>
    Kafka,

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
