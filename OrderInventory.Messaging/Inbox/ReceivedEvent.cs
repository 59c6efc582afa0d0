using System.Diagnostics;
using System.Globalization;

namespace OrderInventory.Messaging.Inbox;

/// <summary>An event received from Kafka, read and checked.</summary>
public sealed class ReceivedEvent
{
    internal ReceivedEvent(Guid id, object data, string correlationId, EventRecord record, EventRegistration registration)
    {
        Id = id;
        Data = data;
        CorrelationId = correlationId;
        Record = record;
        Registration = registration;
    }

    /// <summary>CloudEvents <c>id</c>: what the inbox remembers.</summary>
    public Guid Id { get; }

    /// <summary>CloudEvents <c>type</c>.</summary>
    public string Type => Registration.Type;

    /// <summary>The data, of the type that the handler was registered for.</summary>
    public object Data { get; }

    /// <summary>The data as received: UTF-8 JSON, including members that this service does not know.</summary>
    public ReadOnlyMemory<byte> Payload => Record.Payload;

    /// <summary>CloudEvents <c>source</c>, such as <c>/orders</c>; null when the publisher left it out.</summary>
    public string? Source => EventHeaders.Get(Record.Headers, EventHeaders.Source);

    /// <summary>CloudEvents <c>subject</c>: the aggregate's id. The key, which is the same by contract, when the publisher left it out.</summary>
    public string Subject => EventHeaders.Get(Record.Headers, EventHeaders.Subject) ?? Record.Key;

    /// <summary>CloudEvents <c>time</c>, UTC; null when it is missing or invalid.</summary>
    public DateTimeOffset? Time =>
        DateTimeOffset.TryParse(EventHeaders.Get(Record.Headers, EventHeaders.Time), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUniversalTime()
            : null;

    /// <summary>The chain that this event belongs to.</summary>
    public string CorrelationId { get; }

    /// <summary>The trace that what follows from this event continues.</summary>
    public string? TraceParent => Activity?.Id ?? Record.TraceParent;

    /// <summary>Vendor data of that trace.</summary>
    public string? TraceState => Record.TraceState;

    internal EventRecord Record { get; }
    internal EventRegistration Registration { get; }

    /// <summary>This event's own span while its batch is handled, when its trace is recorded.</summary>
    internal Activity? Activity { get; set; }
}
