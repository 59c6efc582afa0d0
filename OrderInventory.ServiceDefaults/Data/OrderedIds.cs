namespace OrderInventory.ServiceDefaults.Data;

/// <summary>
/// UUIDv7 that are in order within a millisecond too, for rows that are shown in the order of their ids: the framework's own of one millisecond are in
/// any order. The microseconds stand in the 12 bits behind the version (RFC 9562, section 6.2, method 3).
/// </summary>
public static class OrderedIds
{
    private static readonly Lock s_lock = new();
    private static DateTimeOffset s_last;

    /// <summary>Later than every one that this process has been given before.</summary>
    public static Guid Next()
    {
        lock (s_lock)
        {
            var now = TimeProvider.System.GetStorableNow();
            s_last = now > s_last ? now : s_last.AddMicroseconds(1);
            return At(s_last);
        }
    }

    /// <summary>The id of something at this time, to the microsecond.</summary>
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
