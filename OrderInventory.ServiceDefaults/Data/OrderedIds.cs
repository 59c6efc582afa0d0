namespace OrderInventory.ServiceDefaults.Data;

/// <summary>
/// UUIDv7s that are ordered within a millisecond too, for rows that are shown in the order of their ids; the framework's own UUIDv7s of one
/// millisecond are in random order. The 12 bits after the version hold the microseconds (RFC 9562, section 6.2, method 3).
/// </summary>
public static class OrderedIds
{
    private static readonly Lock s_lock = new();
    private static DateTimeOffset s_last;

    /// <summary>An id that is later than all ids that this process got before.</summary>
    public static Guid Next()
    {
        lock (s_lock)
        {
            var now = TimeProvider.System.GetStorableNow();
            s_last = now > s_last ? now : s_last.AddMicroseconds(1);
            return At(s_last);
        }
    }

    /// <summary>An id with this time, to the microsecond.</summary>
    public static Guid At(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(time).TryWriteBytes(bytes, bigEndian: true, out _);
        var microseconds = (int)(time.UtcTicks % TimeSpan.TicksPerMillisecond / TimeSpan.TicksPerMicrosecond);
        bytes[6] = (byte)(0x70 | (microseconds >> 8));
        bytes[7] = (byte)microseconds;
        return new(bytes, bigEndian: true);
    }
}
