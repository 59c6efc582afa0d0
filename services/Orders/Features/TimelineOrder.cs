using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Sorts items in the order in which they happened. Times alone are not enough: they come from clocks of several services and replicas. What is
/// known is that a version follows the previous one, an answer follows the version that it answers, a version that an answer caused follows
/// that answer, and a message follows the event that it reports. An item is shown no earlier than its cause, so times never go backwards.
/// </summary>
internal static class TimelineOrder
{
    public static IReadOnlyList<GetTimeline.Item> Sort(IReadOnlyList<GetTimeline.Item> items)
    {
        var sorted = new List<GetTimeline.Item>(items.Count);
        var versions = items.Where(item => VersionOf(item) is not null).OrderBy(VersionOf).ToList();
        var answers = items.Where(item => item.Service == "inventory").OrderBy(item => item.At).ToLookup(item => (long?)item.Data["orderVersion"]);
        var last = DateTimeOffset.MinValue;
        for (var i = 0; i < versions.Count; i++)
        {
            last = Later(versions[i].At, last);
            sorted.Add(versions[i] with { At = last });
            var answered = answers[VersionOf(versions[i])].Select(answer => answer with { At = Later(answer.At, last) }).ToList();
            sorted.AddRange(answered);
            if (answered.Count > 0 && i + 1 < versions.Count && IsCausedByAnswer(versions[i + 1]))
            {
                last = answered[0].At;
            }
        }

        var eventTimes = sorted.Where(item => item.EventId is not null).ToLookup(item => item.EventId, item => item.At);
        sorted.AddRange(items.Where(item => item.Service == "notifications").Select(item => item with { At = Later(item.At, eventTimes[item.EventId].FirstOrDefault()) }));
        // A stable sort: at the same time, a cause stays before its effect.
        return [.. sorted.OrderBy(item => item.At)];
    }

    private static long? VersionOf(GetTimeline.Item item) => (long?)item.Data["version"];

    private static bool IsCausedByAnswer(GetTimeline.Item version) =>
        (string?)version.Data["by"] is By.Inventory or By.Sweep && (string?)version.Data["status"] != StatusNames.Format(OrderStatus.Expired);

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
