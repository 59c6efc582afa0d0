using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class KeyRules
{
    /// <summary>An Idempotency-Key created at most one order, and each order was created with exactly one key, which a client sent.</summary>
    public const string OneOrderPerKey = "one order per key";

    public static IEnumerable<Violation> Find(History history, SystemFacts facts)
    {
        foreach (var request in history.ByKey.Where(request => request.First().Op == Op.Place))
        {
            var ids = request.Where(attempt => attempt.IsAcknowledged).Select(attempt => attempt.Order).Distinct().ToList();
            if (ids.Count > 1)
            {
                yield return new(OneOrderPerKey, $"The key {request.Key} was answered with the orders {string.Join(", ", ids)}.", request);
            }
        }

        var keys = facts.OrderKeys.ToLookup(key => key.Order, key => key.Key);
        var customers = history.Run.Customers.ToHashSet();
        foreach (var order in facts.Orders.Where(order => customers.Contains(order.Customer)))
        {
            var made = keys[order.Id].ToList();
            if (made.Count != 1)
            {
                yield return new(OneOrderPerKey, $"Order {order.Id} was created by {made.Count} keys.", history.ByOrder[order.Id].Take(3));
            }
            else if (!history.ByKey.Contains(made[0]))
            {
                yield return new(OneOrderPerKey, $"Order {order.Id} was created by the key {made[0]}, which no client sent.", history.ByOrder[order.Id].Take(3));
            }
        }
    }
}
