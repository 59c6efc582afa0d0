using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrderInventory.Messaging;

internal static class MessagingTelemetry
{
    public const string Name = "OrderInventory.Messaging";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter s_meter = new(Name);

    public static readonly Counter<long> Published = s_meter.CreateCounter<long>("messaging.outbox.published", "{event}", "Events that the broker has acknowledged");
    public static readonly Counter<long> Refused = s_meter.CreateCounter<long>("messaging.outbox.refused", "{event}", "Events that the broker refused permanently");
    public static readonly Counter<long> Handled = s_meter.CreateCounter<long>("messaging.inbox.handled", "{event}", "Events whose effects are committed");
    public static readonly Counter<long> Duplicates = s_meter.CreateCounter<long>("messaging.inbox.duplicates", "{event}", "Events that had been handled before");
    public static readonly Counter<long> Unknown = s_meter.CreateCounter<long>("messaging.inbox.unknown", "{event}", "Events of a type that no handler takes");
    public static readonly Counter<long> DeadLetters = s_meter.CreateCounter<long>("messaging.dead_letters", "{event}", "Consumed events that became dead letters");
    public static readonly Counter<long> Repeats = s_meter.CreateCounter<long>("messaging.inbox.repeats", "{batch}", "Batches repeated after a serialization failure or a lost connection");
    public static readonly Histogram<int> BatchSize = s_meter.CreateHistogram<int>("messaging.inbox.batch_size", "{event}", "Events per consumed batch");

    /// <summary>Observes, by topic, how many records of this replica's partitions have effects that are not committed.</summary>
    public static void ObserveLag(Func<IEnumerable<Measurement<long>>> lag) =>
        s_meter.CreateObservableGauge("messaging.consumer.lag", lag, "{event}", "Records of this replica's partitions whose effects are not committed");

    /// <summary>
    /// Gets the trace that a traceparent names if that trace is recorded. If it is not, no span is added and the header is passed on unchanged.
    /// </summary>
    public static bool TryGetRecorded(string? traceParent, string? traceState, out ActivityContext context) =>
        ActivityContext.TryParse(traceParent, traceState, isRemote: true, out context) && context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
}
