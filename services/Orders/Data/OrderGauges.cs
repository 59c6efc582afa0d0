using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Data;

internal static class OrderGauges
{
    /// <summary>Orders that wait for Inventory. The index by status makes the query cheap.</summary>
    public static void AddOrderGauges(this IHostApplicationBuilder builder) => builder.AddDatabaseGauges(
        "OrderInventory.Orders", TimeSpan.FromSeconds(5),
        """
        SELECT count(*)::float8, coalesce(greatest(extract(epoch FROM now() - min(waiting_since)), 0), 0)::float8
        FROM orders WHERE status IN ('pending', 'revisionPending', 'cancelPending')
        """,
        new("orders.waiting", "{order}", "Orders that wait for Inventory"),
        new("orders.waiting.age", "s", "How long the oldest waiting order has waited; 0 when there is none"));
}
