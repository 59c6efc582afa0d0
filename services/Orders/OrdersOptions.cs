namespace OrderInventory.Orders;

/// <summary>Settings, from the section <c>Orders</c>.</summary>
internal sealed class OrdersOptions
{
    /// <summary>How Orders queries Inventory before it accepts an order.</summary>
    public StockCheckMode StockCheck { get; set; } = StockCheckMode.Rest;

    /// <summary>What happens when Inventory does not answer that query.</summary>
    public WhenStockUnknown WhenStockUnknown { get; set; } = WhenStockUnknown.Accept;

    /// <summary>After this time without an answer from Inventory, by the database's clock, a pending order expires.</summary>
    public TimeSpan PendingTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>After waiting this long for Inventory, Orders queries it about the order.</summary>
    public TimeSpan AskAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often Orders looks for waiting orders.</summary>
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
    /// <summary>The order is accepted as <c>pending</c>; the reservation decides when Inventory is available again.</summary>
    Accept,

    /// <summary>The order is refused with 503.</summary>
    Refuse,
}
