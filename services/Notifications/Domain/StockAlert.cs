namespace OrderInventory.Notifications.Domain;

/// <summary>
/// Whether a product's stock is low, and what was reported to staff. Stock that goes up and down around its threshold is reported at most once in
/// <see cref="NotificationOptions.LowStockInterval"/>: the first crossing immediately, then the state at the interval's end, if it has changed.
/// </summary>
public sealed class StockAlert
{
    public Guid ProductId { get; init; }

    /// <summary>The version of the product's stock; an older event changes nothing.</summary>
    public long Version { get; init; }

    public bool Low { get; init; }
    public long Available { get; init; }
    public long Threshold { get; init; }

    /// <summary>The event of the last crossing.</summary>
    public Guid EventId { get; init; }

    public string EventType { get; init; } = "";
    public string? TraceParent { get; init; }

    /// <summary>The state that was reported last; null when none was.</summary>
    public bool? ToldLow { get; init; }

    /// <summary>Nothing is reported before this time.</summary>
    public DateTimeOffset? QuietUntil { get; init; }
}
