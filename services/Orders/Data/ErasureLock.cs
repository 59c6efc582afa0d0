using Npgsql;
using NpgsqlTypes;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>
/// Keeps an erasure of the customers of orders with an address away until the commit: it changes the copy first and removes addresses then,
/// so it either waits here and finds these orders, or is waited for here and seen by the statements that follow. A customer who is not known
/// yet gets a copy, older than any event, so that there is a row to lock.
/// </summary>
internal static class ErasureLock
{
    /// <summary>How long orders wait for an erasure: long enough for any, but one that hangs must not stop all placements.</summary>
    public const string Timeout = "2s";

    /// <summary>Whose erasure concerns the orders, in one order, as the handler of customer.updated has them.</summary>
    public static Guid[] CustomersOf(IReadOnlyList<Order> orders) =>
        [.. orders.Where(o => o.ShipTo is not null).Select(o => o.CustomerId).Distinct().Order()];

    public static void Add(NpgsqlBatch batch, Guid[] customers)
    {
        batch.BatchCommands.Add(Copies.KeepCustomers(customers));
        batch.BatchCommands.Add(new("SELECT FROM customer_copies WHERE customer_id = ANY($1) ORDER BY customer_id FOR SHARE")
        {
            Parameters = { OutboxSql.Array(customers, id => id, NpgsqlDbType.Uuid) },
        });
    }
}
