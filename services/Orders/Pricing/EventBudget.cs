using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Pricing;

/// <summary>
/// Limits the size of an order's events. Every event has all lines of the order and of its last revision, so lines are accepted only if the
/// broker takes the largest event that the order can still need. What makes lines large is names, counted in bytes as sent, not in characters.
/// </summary>
internal sealed class EventBudget(MessagingOptions messaging)
{
    /// <summary>Bytes that a rejection or a return adds for a line: a product's id and two numbers, with their member names.</summary>
    private const int PerLine = 140;

    /// <summary>Bytes of everything but lines: ids, statuses, times, sums.</summary>
    private const int Rest = 2048;

    /// <summary>Upper bounds in bytes: of a line without its SKU and name, and of one character of those.</summary>
    private const int MaxLineFrame = 256, MaxCharacter = 12;

    /// <summary>422 when lines are too large to be ordered; null otherwise.</summary>
    /// <param name="lines">The requested lines.</param>
    /// <param name="held">For a revision: the order's lines until it is accepted.</param>
    public ProblemHttpResult? Refuse(IReadOnlyList<OrderLine> lines, IReadOnlyList<OrderLine>? held = null)
    {
        // Nearly every order is far below the limit; only one that may exceed it is serialized to be measured.
        if (Rest + (2L * (Bound(lines) + Bound(held ?? []))) <= messaging.MaxPayload)
        {
            return null;
        }

        var size = Measure(lines);
        // A revision's event has old and new lines; later events have the new lines twice, as the order's and as its last revision's.
        var total = Rest + (PerLine * lines.Count) + size + (held is null ? 0 : Math.Max(size, Measure(held)));
        return total <= messaging.MaxPayload ? null : Problems.Unprocessable(
            "order-too-large", "The order is too large.",
            new Dictionary<string, string[]> { ["$.lines"] = [$"With the names of their products, the lines take {total} bytes; the limit is {messaging.MaxPayload}. Order fewer lines per order."] });
    }

    private static long Bound(IReadOnlyList<OrderLine> lines) => lines.Sum(line => MaxLineFrame + PerLine + ((long)MaxCharacter * (line.Sku.Length + line.Name.Length)));

    private static int Measure(IReadOnlyList<OrderLine> lines) => EventJson.Measure(lines, EventsJson.Default.IReadOnlyListOrderLine);
}
