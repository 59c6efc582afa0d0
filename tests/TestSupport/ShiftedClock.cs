namespace OrderInventory.TestSupport;

/// <summary>The system's clock, off by something that a test may change, as a clock that is set or a replica whose clock differs. Timers run as ever.</summary>
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
