using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.Messaging;

/// <summary>A kind of event that this service publishes.</summary>
/// <param name="Topic">Kafka topic.</param>
/// <param name="Type">CloudEvents <c>type</c>; carries the contract's version, e.g. <c>order.created.v1</c>.</param>
/// <param name="Source">CloudEvents <c>source</c>: the publishing service, e.g. <c>/orders</c>.</param>
/// <param name="Json">How the data is written.</param>
public sealed record EventType<T>(string Topic, string Type, string Source, JsonTypeInfo<T> Json);
