using System.Diagnostics;
using Confluent.Kafka;
using Npgsql;
using NpgsqlTypes;

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// A record that could not be applied (or, when it has no offset, that the broker refused), kept until a person replays or
/// deletes it. A dead letter never stops its partition.
/// </summary>
public sealed class DeadLetter
{
    public Guid Id { get; private set; } = Guid.CreateVersion7();
    public required string Topic { get; init; }

    /// <summary>Null for one of this service's own events that the broker refused.</summary>
    public int? Partition { get; init; }

    /// <summary>Null for one of this service's own events that the broker refused.</summary>
    public long? Offset { get; init; }

    public required string Key { get; init; }

    /// <summary>The <c>ce_id</c>; null when the record has none that can be read.</summary>
    public Guid? EventId { get; init; }

    /// <summary>The <c>ce_type</c>; null when the record has none.</summary>
    public string? EventType { get; init; }

    /// <summary>Why it was set aside, for people to read.</summary>
    public required string Reason { get; init; }

    /// <summary>How often it was tried; 0 for a record that could not even be read.</summary>
    public int Attempts { get; init; }

    public string? TraceId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Kafka headers as a JSON object.</summary>
    public required string Headers { get; init; }

    public required byte[] Payload { get; init; }

    internal static DeadLetter Unreadable(EventRecord record, string reason, DateTimeOffset now) => Of(record, reason, attempts: 0, now);

    internal static DeadLetter Failed(ReceivedEvent received, Exception exception, DateTimeOffset now) =>
        Of(received.Record, $"{exception.GetType().Name}: {exception.Message}", attempts: 1, now);

    internal static DeadLetter Refused(string topic, string key, Guid eventId, Headers headers, byte[] payload, string reason, DateTimeOffset now) =>
        Of(new(topic, null, null, key, headers, payload), $"The broker refused it: {reason}", attempts: 1, now, eventId);

    private static DeadLetter Of(EventRecord record, string reason, int attempts, DateTimeOffset now, Guid? eventId = null) => new()
    {
        Topic = record.Topic,
        Partition = record.Partition,
        Offset = record.Offset,
        Key = EventHeaders.Storable(record.Key),
        EventId = eventId ?? (Guid.TryParse(EventHeaders.Get(record.Headers, EventHeaders.Id), out var id) ? id : null),
        EventType = EventHeaders.Get(record.Headers, EventHeaders.Type) is { } type ? EventHeaders.Storable(type) : null,
        Reason = EventHeaders.Storable(reason),
        Attempts = attempts,
        TraceId = ActivityContext.TryParse(record.TraceParent, null, out var context) ? context.TraceId.ToString() : null,
        CreatedAt = now,
        Headers = EventHeaders.ToJson(record.Headers),
        Payload = record.Payload,
    };

    /// <summary>Writes the row unless this record was set aside before (it may be consumed again after a crash).</summary>
    internal NpgsqlBatchCommand Insert() => new(
        """
        INSERT INTO dead_letters (id, topic, partition, "offset", key, event_id, event_type, reason, attempts, trace_id, created_at, headers, payload)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (topic, partition, "offset") DO NOTHING
        """)
    {
        Parameters =
        {
            new() { Value = Id },
            new() { Value = Topic },
            Nullable(Partition, NpgsqlDbType.Integer),
            Nullable(Offset, NpgsqlDbType.Bigint),
            new() { Value = Key },
            Nullable(EventId, NpgsqlDbType.Uuid),
            Nullable(EventType, NpgsqlDbType.Text),
            new() { Value = Reason },
            new() { Value = Attempts },
            Nullable(TraceId, NpgsqlDbType.Text),
            new() { Value = CreatedAt.UtcDateTime },
            new() { Value = Headers, NpgsqlDbType = NpgsqlDbType.Json },
            new() { Value = Payload },
        },
    };

    /// <summary>
    /// Writes the row of one of this service's events that the broker refused. If it was refused before, its entry gets one more attempt.
    /// </summary>
    internal NpgsqlBatchCommand InsertRefused()
    {
        var insert = Insert();
        insert.CommandText =
            """
            WITH again AS (
                UPDATE dead_letters SET attempts = attempts + 1, reason = $8
                WHERE topic = $2 AND partition IS NULL AND event_id = $6 RETURNING id)
            INSERT INTO dead_letters (id, topic, partition, "offset", key, event_id, event_type, reason, attempts, trace_id, created_at, headers, payload)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 WHERE NOT EXISTS (SELECT FROM again)
            """;
        return insert;
    }

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
