namespace OrderInventory.Load.Histories;

/// <summary>What a run with a history is made of.</summary>
internal sealed record HistoryOptions
{
    public int Clients { get; init; } = 8;

    /// <summary>Requests a second of all clients, whatever the answers; null in a closed loop.</summary>
    public int? Rate { get; init; }

    /// <summary>How long new requests are sent.</summary>
    public int Seconds { get; init; } = 60;

    /// <summary>It ends earlier when so many orders are acknowledged; 0 for no such bound.</summary>
    public int Orders { get; init; }

    /// <summary>Asked when they are: whether it may end already.</summary>
    public Func<bool> MayEnd { get; init; } = () => true;

    public int Products { get; init; } = 40;
    public int Customers { get; init; } = 40;

    /// <summary>Units on hand of each product at the beginning: so few that shortages come.</summary>
    public int Stock { get; init; } = 400;

    public int Seed { get; init; } = 1;

    /// <summary>A request without an answer is given up after so long.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A request with an Idempotency-Key is sent again for so long.</summary>
    public TimeSpan RetryTime { get; init; } = TimeSpan.FromSeconds(60);
}
