using Npgsql;
using NpgsqlTypes;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>
/// Delays an erasure of the customers of orders with an address until the commit. An erasure changes the copy first and removes addresses
/// afterwards: either it waits for this lock and then finds these orders, or this lock waits for it and the statements that follow see it.
/// A customer who is not known yet gets a copy, older than any event, so that there is a row to lock.
/// </summary>
internal static class ErasureLock
{
    /// <summary>How long orders wait for an erasure: long enough for any that proceeds, but one that hangs must not stop all placements.</summary>
    public const string Timeout = "2s";

    /// <summary>The customers whose erasure concerns the orders, sorted in the same way as in the handler of customer.updated.</summary>
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
