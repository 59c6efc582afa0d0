using System.Diagnostics;

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// The spans of a batch. Each event whose trace is recorded gets its own span in that trace, and what follows from the event
/// continues there. Work that is done once for many events gets a separate span that links to all of theirs.
/// </summary>
internal sealed class BatchSpans : IDisposable
{
    private readonly IReadOnlyList<ReceivedEvent> _events;
    private readonly Activity? _batch;
    private readonly Activity? _outer;

    private BatchSpans(IReadOnlyList<ReceivedEvent> events, Activity? batch, Activity? outer)
    {
        _events = events;
        _batch = batch;
        _outer = outer;
    }

    public static BatchSpans Start(IReadOnlyList<ReceivedEvent> events, string group)
    {
        var outer = Activity.Current;
        List<ActivityLink>? links = null;
        foreach (var received in events)
        {
            if (!MessagingTelemetry.TryGetRecorded(received.Record.TraceParent, received.Record.TraceState, out var parent))
            {
                continue;
            }

            var span = MessagingTelemetry.Source.StartActivity($"process {received.Record.Topic}", ActivityKind.Consumer, parent);
            Activity.Current = outer;
            if (span is null)
            {
                continue;
            }

            span.SetTag("messaging.system", "kafka");
            span.SetTag("messaging.destination.name", received.Record.Topic);
            span.SetTag("messaging.consumer.group.name", group);
            span.SetTag("messaging.message.id", received.Id.ToString());
            span.SetTag("messaging.kafka.offset", received.Record.Offset);
            received.Activity = span;
            (links ??= []).Add(new(span.Context));
        }

        if (links is { Count: 1 })
        {
            // A single recorded event's span serves as the batch's span too, so that the database calls appear in the order's own trace.
            Activity.Current = events.First(e => e.Activity is not null).Activity;
            return new(events, null, outer);
        }

        var batch = links is null
            ? null
            : MessagingTelemetry.Source.StartActivity($"process batch {group}", ActivityKind.Consumer, default(ActivityContext), links: links);
        batch?.SetTag("messaging.batch.message_count", events.Count);
        return new(events, batch, outer);
    }

    public void Dispose()
    {
        _batch?.Dispose();
        foreach (var received in _events)
        {
            received.Activity?.Dispose();
        }

        Activity.Current = _outer;
    }
}
