using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// An event that waits to be published, written in the transaction of the change that it reports. The relay publishes the messages of
/// one key in the order of <see cref="Version"/>, the aggregate's version: the row lock on the aggregate guarantees that order, whereas
/// ids and times come from clocks that differ between replicas.
/// </summary>
public sealed class OutboxMessage
{
    /// <summary>How many slots the keys are spread over; each is relayed by one replica at a time.</summary>
    public const int SlotCount = 16;

    private const int MaxCopiedKey = 500;
    private const int MaxTraceState = 512;

    private OutboxMessage(short slot, string key, long version, Guid id, string topic, string headers, byte[] payload, DateTimeOffset createdAt)
    {
        Slot = slot;
        Key = key;
        Version = version;
        Id = id;
        Topic = topic;
        Headers = headers;
        Payload = payload;
        CreatedAt = createdAt;
    }

    public short Slot { get; private set; }
    public string Key { get; private set; }
    public long Version { get; private set; }

    /// <summary>The event's <c>ce_id</c>. It stays the same when the event is published again, so that consumers recognize it.</summary>
    public Guid Id { get; private set; }

    public string Topic { get; private set; }

    /// <summary>Kafka headers as a JSON object.</summary>
    public string Headers { get; private set; }

    public byte[] Payload { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Whether this is a dead letter that a person has replayed. Its entry is deleted together with this row.</summary>
    internal bool IsReplayed => Headers.Contains(EventHeaders.Replayed, StringComparison.Ordinal);

    /// <summary>Restores a message from its row.</summary>
    internal static OutboxMessage Restore(
        short slot, string key, long version, Guid id, string topic, string headers, byte[] payload, DateTimeOffset createdAt) =>
        new(slot, key, version, id, topic, headers, payload, createdAt);

    /// <summary>Creates the message of an event of this service.</summary>
    /// <param name="type">The event's type.</param>
    /// <param name="key">Kafka key and CloudEvents subject: the aggregate's id.</param>
    /// <param name="version">The aggregate's version after the change.</param>
    /// <param name="data">State after the change.</param>
    /// <param name="time">When the change was made.</param>
    /// <param name="cause">The event that led to this one; null at the start of a chain, whose trace is then the current request's.</param>
    /// <param name="id">The id that the event had when it was published before; null for a new event.</param>
    public static OutboxMessage Create<T>(
        EventType<T> type, Guid key, long version, T data, DateTimeOffset time, ReceivedEvent? cause = null, Guid? id = null) =>
        Create(type, key, version, data, time, cause, id ?? Guid.CreateVersion7());

    private static OutboxMessage Create<T>(EventType<T> type, Guid key, long version, T data, DateTimeOffset time, ReceivedEvent? cause, Guid id)
    {
        var subject = key.ToString();
        var headers = WriteHeaders(
            id, type.Type, type.Source, subject, version, time, cause,
            TraceOf(cause),
            cause is null ? Activity.Current?.TraceStateString : cause.TraceState);
        return new(SlotOf(subject), subject, version, id, type.Topic, headers, type.Serialize(data), time.ToUniversalTime());
    }

    /// <summary>Copies a record for another topic: the copy of a dead letter. A very long key is truncated.</summary>
    internal static OutboxMessage Copy(string topic, string key, long version, string headers, byte[] payload, DateTimeOffset time)
    {
        // A foreign record's key may be of any length, but it becomes part of a primary key, and PostgreSQL limits index entries to 2,704 bytes.
        if (key.Length > MaxCopiedKey)
        {
            key = key[..(char.IsHighSurrogate(key[MaxCopiedKey - 1]) ? MaxCopiedKey - 1 : MaxCopiedKey)];
        }

        return new(SlotOf(key), key, version, Guid.CreateVersion7(), topic, headers, payload, time);
    }

    /// <summary>Creates a message for an event that the broker refused and that is published again, with its original id and version.</summary>
    internal static OutboxMessage Again(EventRecord record, DateTimeOffset time) => new(
        SlotOf(record.Key), record.Key,
        long.TryParse(EventHeaders.Get(record.Headers, EventHeaders.AggregateVersion), CultureInfo.InvariantCulture, out var version) ? version : 0,
        Guid.TryParse(EventHeaders.Get(record.Headers, EventHeaders.Id), out var id) ? id : Guid.CreateVersion7(),
        record.Topic, EventHeaders.ToJson(record.Headers, (EventHeaders.Replayed, "1")), record.Payload, time);

    /// <summary>Every event has a trace. An event without a traced cause, such as a timer's, starts a trace that is not recorded.</summary>
    private static string TraceOf(ReceivedEvent? cause) => (cause is null ? Activity.Current?.Id : cause.TraceParent)
        ?? $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";

    internal static short SlotOf(string key) =>
        (short)(XxHash32.HashToUInt32(MemoryMarshal.AsBytes(key.AsSpan())) % SlotCount);

    private static string WriteHeaders(
        Guid id, string type, string source, string subject, long version, DateTimeOffset time, ReceivedEvent? cause, string traceParent, string? traceState)
    {
        // Built without a JSON writer because this is on every hot path: only a caller's trace headers can need escaping.
        var json = new StringBuilder(512)
            .Append("{\"ce_specversion\":\"1.0\",\"ce_id\":\"").Append(id)
            .Append("\",\"ce_type\":\"").Append(type)
            .Append("\",\"ce_source\":\"").Append(source)
            .Append("\",\"ce_time\":\"").Append(time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
            .Append("\",\"ce_subject\":\"").Append(subject)
            .Append("\",\"ce_aggregateversion\":\"").Append(version)
            .Append("\",\"ce_correlationid\":\"").Append(cause?.CorrelationId ?? id.ToString());
        if (cause is not null)
        {
            json.Append("\",\"ce_causationid\":\"").Append(cause.Id);
        }

        json.Append("\",\"content-type\":\"application/json\",\"traceparent\":\"").Append(JsonEncodedText.Encode(traceParent));
        // A tracestate longer than must be propagated (W3C Trace Context, section 3.3.1.5) would use up the room for a record's headers.
        if (traceState is { Length: <= MaxTraceState })
        {
            json.Append("\",\"tracestate\":\"").Append(JsonEncodedText.Encode(traceState));
        }

        return json.Append("\"}").ToString();
    }
}
