namespace OrderInventory.Load.Histories;

/// <summary>The settings of a run with a history.</summary>
internal sealed record HistoryOptions
{
    public int Clients { get; init; } = 8;

    /// <summary>Requests a second of all clients together, regardless of the answers; null in a closed loop.</summary>
    public int? Rate { get; init; }

    /// <summary>How long new requests are sent.</summary>
    public int Seconds { get; init; } = 60;

    /// <summary>The run ends earlier when this many orders are acknowledged; 0 for no such bound.</summary>
    public int Orders { get; init; }

    /// <summary>Called when that many are acknowledged: whether the run may end already.</summary>
    public Func<bool> MayEnd { get; init; } = () => true;

    public int Products { get; init; } = 40;
    public int Customers { get; init; } = 40;

    /// <summary>Units on hand of each product at the beginning: few enough that shortages occur.</summary>
    public int Stock { get; init; } = 400;

    public int Seed { get; init; } = 1;

    /// <summary>A request without an answer is given up after this time.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A request with an Idempotency-Key is repeated for this long.</summary>
    public TimeSpan RetryTime { get; init; } = TimeSpan.FromSeconds(60);
}
