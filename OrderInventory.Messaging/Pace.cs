namespace OrderInventory.Messaging;

/// <summary>Keeps a loop's batches at least an interval apart, so that they fill up while the loop is busy and not while it is idle.</summary>
internal sealed class Pace(TimeSpan interval, TimeProvider time)
{
    private long? _last;

    /// <summary>The wait before the next batch may start; zero when the last one started long enough ago.</summary>
    public TimeSpan Next()
    {
        var now = time.GetTimestamp();
        var rest = _last is null ? TimeSpan.Zero : interval - time.GetElapsedTime(_last.Value, now);
        rest = rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
        _last = now + (long)(rest.TotalSeconds * time.TimestampFrequency);
        return rest;
    }
}
