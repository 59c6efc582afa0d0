using System.Globalization;
using System.Text;
using OrderInventory.Campaign.Faults;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Histories;

namespace OrderInventory.Campaign;

/// <summary>Describes what happened to requests during overload, and how soon the system recovered.</summary>
internal static class OverloadRows
{
    /// <summary>Milliseconds.</summary>
    private const double Before = 10_000;

    /// <returns>A row of the campaign's table for each overload.</returns>
    public static string Of(History history, ServiceMemory memory)
    {
        var rows = new StringBuilder();
        foreach (var fault in history.Faults.Where(fault => fault.What == Fault.Overload))
        {
            var end = fault.At + Fault.Stop.TotalMilliseconds;
            var (before, meanwhile) = (Ended(history, fault.At - Before, fault.At), Ended(history, fault.At, end));
            var (rate, turnedAway) = (before.Count(IsDone) / Before * 1000, meanwhile.Count(o => o.IsTurnedAway));
            var seconds = Fault.Stop.TotalSeconds;
            rows.Append(CultureInfo.InvariantCulture, $"| overload at {fault.At / 1000:F0} s | before: {rate:F0} completed/s, placements p50 {Percentile(before, 50)}, p99 {Percentile(before, 99)} ms. ")
                .Append(CultureInfo.InvariantCulture, $"Meanwhile: {meanwhile.Count / seconds:F0} answers/s: {meanwhile.Count(IsDone) / seconds:F0} completed, {turnedAway / seconds:F0} refused (429 or 503), {meanwhile.Count(o => o.Status is null) / seconds:F1} without an answer; ")
                .Append(CultureInfo.InvariantCulture, $"placements p50 {Percentile(meanwhile, 50)}, p99 {Percentile(meanwhile, 99)} ms. ")
                .Append(CultureInfo.InvariantCulture, $"Time until nine tenths of the earlier rate: {(Recovered(history, end, rate * 0.9) is { } after ? string.Create(CultureInfo.InvariantCulture, $"{after} s after the overload") : "more than 60 s")}. ")
                .Append(CultureInfo.InvariantCulture, $"All services together had at most {memory.Most(fault.At - Before, fault.At):F0} MB of memory before, {memory.Most(fault.At, end):F0} MB meanwhile, {memory.Most(end + Before, end + (2 * Before)):F0} MB ten seconds later |\n");
        }

        return rows.ToString();
    }

    private static List<Operation> Ended(History history, double from, double until) => [.. history.Operations.Where(o => o.End >= from && o.End < until)];

    /// <summary>Whether the request was done, or refused because of its content.</summary>
    private static bool IsDone(Operation o) => o.Status is < 500 and not 429;

    /// <summary>Measured from when the request was sent, to show that admitted requests do not wait long.</summary>
    private static string Percentile(IEnumerable<Operation> operations, int percent)
    {
        var times = operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true }).Select(o => o.End - o.Start).Order().ToList();
        return times.Count == 0 ? "-" : times[Math.Min(times.Count - 1, times.Count * percent / 100)].ToString("F0", CultureInfo.InvariantCulture);
    }

    /// <summary>The first second of three whose average reaches the wanted rate.</summary>
    private static int? Recovered(History history, double end, double rate)
    {
        for (var second = 0; second < 60; second++)
        {
            var from = end + (second * 1000);
            if (Ended(history, from, from + 3000).Count(IsDone) / 3.0 >= rate)
            {
                return second;
            }
        }

        return null;
    }
}
