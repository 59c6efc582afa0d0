using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.Messaging.Inbox;

/// <summary>Which handler takes a type of event, and how its data is read. One per <c>ce_type</c>.</summary>
internal abstract class EventRegistration(int number, string type, Type handler)
{
    /// <summary>From 0, in the order of the registrations.</summary>
    public int Number { get; } = number;

    public string Type { get; } = type;
    public Type Handler { get; } = handler;

    /// <summary>The data, or the reason why the record is poison.</summary>
    public abstract object? Read(ReadOnlySpan<byte> payload, out string? poison);

    /// <summary>Whether the handler has anything to do for this data; if not, no inbox row is written.</summary>
    public abstract bool Concerns(object data);
}

internal sealed class EventRegistration<T>(
    int number, string type, Type handler, JsonTypeInfo<T> json, Func<T, bool>? concerns, Func<T, string?>? validate) : EventRegistration(number, type, handler)
    where T : class
{
    public override object? Read(ReadOnlySpan<byte> payload, out string? poison)
    {
        try
        {
            var data = JsonSerializer.Deserialize(payload, json);
            poison = data is null ? "The data is null." : validate?.Invoke(data);
            return data;
        }
        catch (JsonException exception)
        {
            poison = exception.Message;
            return null;
        }
    }

    public override bool Concerns(object data) => concerns?.Invoke((T)data) ?? true;
}
