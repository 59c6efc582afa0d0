using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.Messaging;

/// <summary>A kind of event that this service publishes.</summary>
/// <param name="Topic">Kafka topic.</param>
/// <param name="Type">CloudEvents <c>type</c>; carries the contract's version, e.g. <c>order.created.v1</c>.</param>
/// <param name="Source">CloudEvents <c>source</c>: the publishing service, e.g. <c>/orders</c>.</param>
/// <param name="Json">How the data is serialized.</param>
public sealed record EventType<T>(string Topic, string Type, string Source, JsonTypeInfo<T> Json)
{
    /// <summary>The data as it is published, in UTF-8.</summary>
    public byte[] Serialize(T data) => EventJson.Write(data, Json).ToArray();
}

/// <summary>Serializes events as JSON.</summary>
public static class EventJson
{
    // Not escaped to ASCII: names in most scripts would take six bytes per letter, and a large order would exceed the broker's limit (1 MB).
    private static readonly JsonWriterOptions s_utf8 = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>
    /// Serialized size of a part of an event, in bytes. Characters beyond the Basic Multilingual Plane are escaped and take twelve bytes.
    /// </summary>
    public static int Measure<T>(T part, JsonTypeInfo<T> json) => Write(part, json).Length;

    internal static ReadOnlySpan<byte> Write<T>(T data, JsonTypeInfo<T> json)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, s_utf8);
        JsonSerializer.Serialize(writer, data, json);
        return buffer.WrittenSpan;
    }
}
