using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using OrderInventory.Load.Placing;
using Spectre.Console;

namespace OrderInventory.Load.Recorded;

/// <summary>The outcome of a phase's orders, according to the databases.</summary>
internal sealed record Outcome(
    SortedDictionary<string, int> Statuses, int Lost, int Undecided, int NotNotified, DateTimeOffset FirstPlaced, DateTimeOffset LastRecorded,
    TimeSpan Waited, LongHistogram ToConfirmed, bool ConfirmedAtCommit, LongHistogram ToNotified)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until every order is decided and its notifications are recorded, or the timeout ends.</summary>
    /// <param name="databases">The databases to query.</param>
    /// <param name="placed">The orders.</param>
    /// <param name="fromDue">Whether times are measured from when an order was due, instead of from its <c>placed_at</c>.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<Outcome> WaitAsync(
        Databases databases, PhaseResult placed, bool fromDue, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var ids = placed.Ids;
        var start = Stopwatch.GetTimestamp();
        bool IsOver() => Stopwatch.GetElapsedTime(start) >= timeout;
        return await AnsiConsole.Status().StartAsync("Waiting for the last order to be decided ...", async status =>
        {
            while (await databases.AnyPendingAsync(placed.StartedAt, cancellationToken) && !IsOver())
            {
                await Task.Delay(s_poll, cancellationToken);
            }

            var notified = await databases.ReadNotifiedAsync(ids, cancellationToken);
            while (notified.Count < ids.Length && !IsOver())
            {
                status.Status = string.Create(CultureInfo.InvariantCulture, $"Waiting for notifications: {notified.Count} of {ids.Length} orders have theirs ...");
                await Task.Delay(s_poll, cancellationToken);
                notified = await databases.ReadNotifiedAsync(ids, cancellationToken);
            }

            var waited = Stopwatch.GetElapsedTime(start);
            return Sum(placed, fromDue, await databases.ReadOrdersAsync(ids, cancellationToken), notified, waited);
        });
    }

    private static Outcome Sum(
        PhaseResult placed, bool fromDue, Dictionary<Guid, OrderRow> orders, Dictionary<Guid, DateTimeOffset> notified, TimeSpan waited)
    {
        var number = placed.Orders.Count;
        var atCommit = true;
        var statuses = new SortedDictionary<string, int>();
        var (toConfirmed, toNotified) = (Report.NewHistogram(), Report.NewHistogram());
        var (first, last) = (DateTimeOffset.MaxValue, DateTimeOffset.MinValue);
        foreach (var (id, order) in orders)
        {
            statuses[order.Status] = statuses.GetValueOrDefault(order.Status) + 1;
            var from = fromDue ? placed.Orders[id] : order.PlacedAt;
            first = order.PlacedAt < first ? order.PlacedAt : first;
            last = order.UpdatedAt > last ? order.UpdatedAt : last;
            if (order is { Status: "confirmed", Version: 2 })
            {
                Report.RecordTo(toConfirmed, (order.CommittedAt ?? order.UpdatedAt) - from);
                atCommit &= order.CommittedAt is not null;
            }

            if (notified.TryGetValue(id, out var at))
            {
                last = at > last ? at : last;
                Report.RecordTo(toNotified, at - from);
            }
        }

        return new(
            statuses, number - orders.Count, statuses.GetValueOrDefault("pending"), number - notified.Count, first, last, waited, toConfirmed,
            atCommit, toNotified);
    }
}
