using Confluent.Kafka;

namespace OrderInventory.Messaging.Inbox;

/// <summary>A Kafka record, or a dead letter's copy of one: what an event is read from.</summary>
internal sealed record EventRecord(string Topic, int? Partition, long? Offset, string Key, Headers Headers, byte[] Payload)
{
    public string? TraceParent => EventHeaders.Get(Headers, EventHeaders.TraceParent);
    public string? TraceState => EventHeaders.Get(Headers, EventHeaders.TraceState);

    public static EventRecord From(ConsumeResult<string, byte[]> result) => new(
        result.Topic, result.Partition.Value, result.Offset.Value, result.Message.Key ?? "", result.Message.Headers ?? [], result.Message.Value ?? []);
}
