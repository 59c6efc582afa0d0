namespace OrderInventory.TestSupport;

/// <summary>
/// The system's clock plus an offset that a test may change, as when a clock is set or a replica's clock differs. Timers run as usual.
/// </summary>
public sealed class ShiftedClock : TimeProvider
{
    private long _offset;

    public TimeSpan Offset
    {
        get => new(Interlocked.Read(ref _offset));
        set => Interlocked.Exchange(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
}
