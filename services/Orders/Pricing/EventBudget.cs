using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Pricing;

/// <summary>
/// Every event of an order has all of its lines, with those of its last revision, so lines are accepted only if the largest event that the
/// order can still need is one that the broker takes. Names are what makes lines large: in bytes as they are sent, not in characters.
/// </summary>
internal sealed class EventBudget(MessagingOptions messaging)
{
    /// <summary>What a refusal or a return adds for a line: a product's id and two numbers, with their names.</summary>
    private const int PerLine = 140;

    /// <summary>All that is not lines: ids, states, times, sums.</summary>
    private const int Rest = 2048;

    /// <summary>A line without its SKU and name is smaller, and a character of those takes no more than this many bytes.</summary>
    private const int MaxLineFrame = 256, MaxCharacter = 12;

    /// <summary>422 when lines are too large to be ordered; null otherwise.</summary>
    /// <param name="lines">What is wanted.</param>
    /// <param name="held">For a revision: what the order has until it is accepted.</param>
    public ProblemHttpResult? Refuse(IReadOnlyList<OrderLine> lines, IReadOnlyList<OrderLine>? held = null)
    {
        // Nearly every order is small by far; only one that may not be is written out to be measured.
        if (Rest + (2L * (Bound(lines) + Bound(held ?? []))) <= messaging.MaxPayload)
        {
            return null;
        }

        var size = Measure(lines);
        // A revision's event has both, and those after it have the new lines twice: as the order's, and as its last revision's.
        var total = Rest + (PerLine * lines.Count) + size + (held is null ? 0 : Math.Max(size, Measure(held)));
        return total <= messaging.MaxPayload ? null : Problems.Unprocessable(
            "order-too-large", "The order is too large.",
            new Dictionary<string, string[]> { ["$.lines"] = [$"With the names of their products the lines take {total} bytes; {messaging.MaxPayload} are possible. Order fewer lines at once."] });
    }

    private static long Bound(IReadOnlyList<OrderLine> lines) => lines.Sum(line => MaxLineFrame + PerLine + ((long)MaxCharacter * (line.Sku.Length + line.Name.Length)));

    private static int Measure(IReadOnlyList<OrderLine> lines) => EventJson.Measure(lines, EventsJson.Default.IReadOnlyListOrderLine);
}
