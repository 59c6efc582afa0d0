using Npgsql;

namespace OrderInventory.Messaging.Outbox;

/// <summary>A slot of the outbox and the relay that works on it until its lease ends.</summary>
public sealed class OutboxSlot
{
    public short Slot { get; private set; }
    public string? Owner { get; private set; }
    public DateTimeOffset? LeaseUntil { get; private set; }
}

/// <summary>A replica whose relay is alive; the slots are shared out evenly between them.</summary>
public sealed class OutboxRelayHeartbeat
{
    public required string Owner { get; init; }
    public DateTimeOffset SeenAt { get; private set; }
}

/// <summary>
/// Leases on slots, by the database's clock. They only spread the work: a relay that goes on after its lease has passed to another replica
/// publishes duplicates, which consumers drop. It cannot publish the first occurrence of an event out of order, because rows are deleted
/// from the outbox only after they were published.
/// </summary>
internal sealed class OutboxSlots(NpgsqlDataSource database, string owner, TimeProvider time)
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_renewEvery = TimeSpan.FromSeconds(3);

    private HashSet<short> _owned = [];
    private long? _renewed;

    /// <summary>Whether this relay holds the leases of all slots.</summary>
    public bool OwnsAll => _owned.Count == OutboxMessage.SlotCount && IsValid;

    public bool Owns(short slot) => IsValid && _owned.Contains(slot);

    public bool IsRenewalDue => _renewed is null || time.GetElapsedTime(_renewed.Value) > s_renewEvery;

    private bool IsValid => _renewed is { } renewed && time.GetElapsedTime(renewed) < s_lease;

    /// <summary>Makes the next renewal due immediately. Called after a failure.</summary>
    public void Expire() => _renewed = null;

    /// <summary>
    /// Renews the heartbeat, keeps this relay's fair share of the slots, releases the surplus and takes free slots. Returns whether it has a new
    /// slot.
    /// </summary>
    public async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        // Taken before the query, so that the lease in the table never ends before this relay's copy of it.
        var requestedAt = time.GetTimestamp();
        var owned = new HashSet<short>();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("""
                    INSERT INTO outbox_relay_heartbeats (owner, seen_at) VALUES ($1, now())
                    ON CONFLICT (owner) DO UPDATE SET seen_at = now()
                    """)
                { Parameters = { new() { Value = owner } } },
                new("DELETE FROM outbox_relay_heartbeats WHERE seen_at < now() - interval '1 hour'"),
                new("""
                    WITH share AS (
                        SELECT ceil((SELECT count(*) FROM outbox_slots)::numeric / greatest(count(*), 1))::int AS slots
                        FROM outbox_relay_heartbeats WHERE seen_at > now() - $2),
                    kept AS (
                        SELECT slot FROM outbox_slots WHERE owner = $1 ORDER BY slot LIMIT (SELECT slots FROM share) FOR UPDATE),
                    taken AS (
                        SELECT slot FROM outbox_slots WHERE owner IS NULL OR (owner <> $1 AND lease_until < now())
                        ORDER BY slot LIMIT (SELECT slots FROM share) - (SELECT count(*) FROM kept) FOR UPDATE SKIP LOCKED),
                    mine AS (SELECT slot FROM kept UNION ALL SELECT slot FROM taken)
                    UPDATE outbox_slots s
                    SET owner = CASE WHEN m.slot IS NULL THEN NULL ELSE $1 END,
                        lease_until = CASE WHEN m.slot IS NULL THEN NULL ELSE now() + $2 END
                    FROM outbox_slots t LEFT JOIN mine m USING (slot)
                    -- s, not t: if another replica took the slot over while 'kept' waited for it, only s shows the new owner.
                    WHERE s.slot = t.slot AND (m.slot IS NOT NULL OR s.owner = $1)
                    RETURNING s.slot, s.owner
                    """)
                { Parameters = { new() { Value = owner }, new() { Value = s_lease } } },
            },
        };
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                if (!reader.IsDBNull(1))
                {
                    owned.Add(reader.GetInt16(0));
                }
            }
        }

        var hasNew = !IsValid || !owned.IsSubsetOf(_owned);
        (_owned, _renewed) = (owned, requestedAt);
        return hasNew;
    }

    /// <summary>Releases the slots at a clean stop, so that other relays need not wait for the leases to end.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("UPDATE outbox_slots SET owner = NULL, lease_until = NULL WHERE owner = $1") { Parameters = { new() { Value = owner } } },
                new("DELETE FROM outbox_relay_heartbeats WHERE owner = $1") { Parameters = { new() { Value = owner } } },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
