namespace OrderInventory.Notifications.Domain;

/// <summary>
/// Whether a product's stock is low, and what staff was told of it. Stock that goes up and down around its threshold is told at most once in
/// <see cref="NotificationOptions.LowStockInterval"/>: the first crossing at once, then the state at the interval's end, if it is another one.
/// </summary>
public sealed class StockAlert
{
    public Guid ProductId { get; init; }

    /// <summary>Of the product's stock; an older event changes nothing.</summary>
    public long Version { get; init; }

    public bool Low { get; init; }
    public long Available { get; init; }
    public long Threshold { get; init; }

    /// <summary>The last crossing.</summary>
    public Guid EventId { get; init; }

    public string EventType { get; init; } = "";
    public string? TraceParent { get; init; }

    /// <summary>What was told last; null when nothing was.</summary>
    public bool? ToldLow { get; init; }

    /// <summary>Nothing is told before this time.</summary>
    public DateTimeOffset? QuietUntil { get; init; }
}
