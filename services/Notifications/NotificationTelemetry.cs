using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications;

internal static class NotificationTelemetry
{
    public const string Name = "OrderInventory.Notifications";

    private static readonly ActivitySource s_source = new(Name);
    private static readonly Meter s_meter = new(Name);

    public static readonly Counter<long> Sent = s_meter.CreateCounter<long>("notifications.sent", "{notification}", "Notifications that a channel has accepted");
    public static readonly Counter<long> Failed = s_meter.CreateCounter<long>("notifications.failed", "{notification}", "Notifications given up");

    /// <summary>A batch of one continues its event's trace; a larger batch gets its own trace, which links to all of theirs.</summary>
    public static Activity? StartBatch(IReadOnlyList<ClaimedNotification> claimed)
    {
        const string name = "send notifications";
        if (claimed is [var alone])
        {
            return TryGetTrace(alone, out var parent) ? s_source.StartActivity(name, ActivityKind.Internal, parent) : null;
        }

        var links = new List<ActivityLink>();
        foreach (var notification in claimed)
        {
            if (TryGetTrace(notification, out var trace))
            {
                links.Add(new(trace));
            }
        }

        return links.Count == 0 ? null : s_source.StartActivity(name, ActivityKind.Internal, default(ActivityContext), links: links);
    }

    /// <summary>Starts the span for sending one notification, in its event's trace.</summary>
    public static Activity? StartSend(string name, string? traceParent, Guid id, string template)
    {
        if (!ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent))
        {
            return null;
        }

        var current = Activity.Current;
        var span = s_source.StartActivity(name, ActivityKind.Client, current?.TraceId == parent.TraceId ? current.Context : parent);
        span?.SetTag("notification.id", id.ToString());
        span?.SetTag("notification.template", template);
        return span;
    }

    private static bool TryGetTrace(ClaimedNotification notification, out ActivityContext trace) =>
        ActivityContext.TryParse(notification.TraceParent, null, isRemote: true, out trace);
}
