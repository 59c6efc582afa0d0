using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;

namespace OrderInventory.Messaging;

/// <summary>CloudEvents 1.0 in Kafka's binary mode (CloudEvents Kafka protocol binding, section 3.2): attributes are headers.</summary>
internal static class EventHeaders
{
    public const string SpecVersion = "ce_specversion";
    public const string Id = "ce_id";
    public const string Type = "ce_type";
    public const string Source = "ce_source";
    public const string Time = "ce_time";
    public const string Subject = "ce_subject";
    public const string AggregateVersion = "ce_aggregateversion";
    public const string CorrelationId = "ce_correlationid";
    public const string CausationId = "ce_causationid";
    public const string ContentType = "content-type";
    public const string TraceParent = "traceparent";
    public const string TraceState = "tracestate";

    /// <summary>
    /// Set on an outbox row only: the event is a dead letter that a person has replayed. Its entry is deleted when the broker has acknowledged it.
    /// </summary>
    public const string Replayed = "dlq_replayed";

    /// <summary>Set on the copy of a dead letter: why it was set aside.</summary>
    public const string DeadLetterReason = "dlq_reason";

    /// <summary>The header's text, or null when it is missing, empty or not UTF-8.</summary>
    public static string? Get(Headers? headers, string name)
    {
        if (headers is null || !headers.TryGetLastBytes(name, out var bytes) || bytes is null || bytes.Length == 0)
        {
            return null;
        }

        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>
    /// Headers of a record that is sent without the outbox; headers without a value are omitted. The outbox writes the headers of events.
    /// </summary>
    public static Headers Create(
        Guid id, string type, string source, DateTimeOffset time, string subject, string correlationId, params ReadOnlySpan<(string Name, string? Value)> more)
    {
        var headers = new Headers();
        Add(headers, SpecVersion, "1.0");
        Add(headers, Id, id.ToString());
        Add(headers, Type, type);
        Add(headers, Source, source);
        Add(headers, Time, time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        Add(headers, Subject, subject);
        Add(headers, CorrelationId, correlationId);
        Add(headers, ContentType, "application/json");
        foreach (var (name, value) in more)
        {
            if (value is not null)
            {
                Add(headers, name, value);
            }
        }

        return headers;
    }

    private static void Add(Headers headers, string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));

    public static Headers FromJson(string json) => FromJson(Encoding.UTF8.GetBytes(json));

    public static Headers FromJson(ReadOnlySpan<byte> json)
    {
        var headers = new Headers();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            Add(headers, name, reader.GetString()!);
        }

        return headers;
    }

    public static string ToJson(Headers headers, params ReadOnlySpan<(string Name, string Value)> more)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var header in headers)
            {
                json.WriteString(header.Key, Storable(Encoding.UTF8.GetString(header.GetValueBytes() ?? [])));
            }

            foreach (var (name, value) in more)
            {
                json.WriteString(name, Storable(value));
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>Replaces NUL characters: PostgreSQL cannot store them in text, and records of other publishers may contain them.</summary>
    public static string Storable(string text) => text.Replace('\0', '\uFFFD');

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
