using System.Collections.Concurrent;
using System.Diagnostics;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>Whatever follows from an event carries its cause, its chain and its trace.</summary>
[Collection(InfrastructureCollection.Name)]
public class TraceTests(InfrastructureFixture infrastructure)
{
    // Fails when a batch gives everything that follows the trace of one of its events, or a trace of its own.
    [Fact]
    public async Task Each_event_of_a_batch_continues_its_own_trace()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var spans = new ConcurrentBag<Activity>();
        using var listener = Listen(spans);
        var traces = Enumerable.Range(0, 4).Select(_ => new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded)).ToList();
        var causes = traces.Select(trace => (Trace: trace, Key: Guid.CreateVersion7(), Id: Guid.CreateVersion7())).ToList();

        await service.ProcessAsync([.. causes.Select((c, i) => bed.Record(new(c.Key, 1, ""), c.Id, offset: i, traceParent: TraceParent(c.Trace)))]);

        var following = await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 4);
        Assert.All(causes, cause =>
        {
            var record = Assert.Single(following, r => r.Message.Key == cause.Key.ToString());
            Assert.Equal(cause.Id.ToString(), RawKafka.Header(record, "ce_causationid"));
            Assert.Equal(cause.Id.ToString(), RawKafka.Header(record, "ce_correlationid"));
            Assert.NotEqual(cause.Id.ToString(), RawKafka.Header(record, "ce_id"));
            Assert.Equal(cause.Trace.TraceId, ActivityContext.Parse(RawKafka.Header(record, "traceparent")!, null).TraceId);

            // In the cause's trace, the event's processing is under the publisher's span, and the publishing of what follows is under the processing.
            var processed = Assert.Single(spans, span => span.TraceId == cause.Trace.TraceId && span.OperationName == $"process {bed.Changed.Topic}");
            Assert.Equal(cause.Trace.SpanId, processed.ParentSpanId);
            var published = Assert.Single(spans, span => span.TraceId == cause.Trace.TraceId && span.OperationName == $"publish {bed.Noted.Topic}");
            Assert.Equal(processed.SpanId, published.ParentSpanId);
            Assert.Equal(published.Id, RawKafka.Header(record, "traceparent"));
        });
        var batch = Assert.Single(spans, span => span.OperationName == $"process batch {bed.Group}");
        Assert.Equal(traces.Select(trace => trace.TraceId).Order(ById), batch.Links.Select(link => link.Context.TraceId).Order(ById));
    }

    // Fails when a trace that is not recorded is cut, or an event has none: each has a traceparent, and a new trace is not recorded.
    [Fact]
    public async Task An_unrecorded_trace_is_passed_on_and_a_missing_one_is_started()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var (silent, none) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

        await service.ProcessAsync(bed.Record(new(silent, 1, ""), offset: 1, traceParent: trace), bed.Record(new(none, 1, ""), offset: 2));

        var following = await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 2);
        Assert.Equal(trace, RawKafka.Header(following.Single(r => r.Message.Key == silent.ToString()), "traceparent"));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", RawKafka.Header(following.Single(r => r.Message.Key == none.ToString()), "traceparent"));
    }

    // Fails when the correlation id or the trace of a chain is lost at one of the hops: outbox, broker, inbox, outbox.
    [Fact]
    public async Task A_chain_of_events_is_one_trace_with_one_correlation_id()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C);
        activity.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        activity.Start();
        var key = Guid.CreateVersion7();
        var first = bed.Message(key, 1);
        await bed.WriteAsync(first);
        await bed.AppliedAsync(key, 1);

        var start = Assert.Single(await bed.Kafka.ReadAsync(bed.Changed.Topic, atLeast: 1));
        var end = Assert.Single(await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 1));
        Assert.Null(RawKafka.Header(start, "ce_causationid"));
        Assert.Equal(first.Id.ToString(), RawKafka.Header(start, "ce_correlationid"));
        Assert.Equal(first.Id.ToString(), RawKafka.Header(end, "ce_causationid"));
        Assert.Equal(first.Id.ToString(), RawKafka.Header(end, "ce_correlationid"));
        Assert.All([start, end], record => Assert.Equal(activity.TraceId, ActivityContext.Parse(RawKafka.Header(record, "traceparent")!, null).TraceId));
    }

    // Fails when a foreign correlation id is copied into the headers of our own events without a check of its content.
    [Fact]
    public async Task A_correlation_id_that_is_not_plain_starts_a_new_chain()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var record = bed.Record(new(key, 1, ""), id);
        record.Headers.Remove("ce_correlationid");
        record.Headers.Add("ce_correlationid", "\",\"ce_type\":\"forged"u8.ToArray());

        await service.ProcessAsync(record);

        var following = Assert.Single(await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 1));
        Assert.Equal(id.ToString(), RawKafka.Header(following, "ce_correlationid"));
        Assert.Equal(ThingNoted.Type, RawKafka.Header(following, "ce_type"));
    }

    private static readonly IComparer<ActivityTraceId> ById = Comparer<ActivityTraceId>.Create((a, b) => string.CompareOrdinal(a.ToHexString(), b.ToHexString()));

    private static string TraceParent(ActivityContext context) => $"00-{context.TraceId}-{context.SpanId}-01";

    private static ActivityListener Listen(ConcurrentBag<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MessagingTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
