using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Pricing;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Keeps the copies of customers current. The newest version wins, in whatever order the versions arrive.
/// An erased customer's orders stay, without their addresses and, once they are final, without free text. The copy is changed first: see
/// <see cref="ErasureLock"/>.
/// </summary>
internal sealed class CustomerUpdatedHandler(RecentOrders recent, CopyMemory memory) : IBatchHandler
{
    public Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var customers = events.Select(e => (CustomerUpdated)e.Data).GroupBy(c => c.CustomerId).Select(g => g.MaxBy(c => c.Version)!).OrderBy(c => c.CustomerId).ToList();
        batch.Writes.BatchCommands.Add(new(
            """
            INSERT INTO customer_copies (customer_id, version, status)
            SELECT * FROM unnest($1, $2, $3)
            ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, status = excluded.status
            WHERE customer_copies.version < excluded.version
            """)
        {
            Parameters =
            {
                OutboxSql.Array(customers, c => c.CustomerId, NpgsqlDbType.Uuid),
                OutboxSql.Array(customers, c => c.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(customers, c => JsonNamingPolicy.CamelCase.ConvertName(c.Status.ToString()), NpgsqlDbType.Text),
            },
        });
        var erased = customers.Where(c => c.Status == CustomerStatus.Erased).Select(c => c.CustomerId).ToArray();
        if (erased.Length > 0)
        {
            batch.Writes.BatchCommands.Add(new("UPDATE orders SET ship_to = NULL, ship_to_erased = true WHERE customer_id = ANY($1) AND NOT ship_to_erased")
            {
                Parameters = { new() { Value = erased } },
            });
            batch.Writes.BatchCommands.Add(FreeText.BlankCustomers(erased));
            // The hash of a request would let somebody verify a guess of the address in it. Without the hash the key still identifies its order,
            // whatever request it is sent with. A key is as old as its order, so an index finds it; keys of older orders are deleted already.
            batch.Writes.BatchCommands.Add(new(
                """
                UPDATE idempotency_keys k SET fingerprint = '' FROM orders o
                WHERE o.customer_id = ANY($1) AND o.placed_at > now() - interval '2 days' AND k.created_at = o.placed_at AND k.resource_id = o.id
                """)
            {
                Parameters = { new() { Value = erased } },
            });
            batch.AfterCommit(() => Array.ForEach(erased, recent.Changed));
            batch.AfterCommit(() => Array.ForEach(erased, memory.ForgetCustomer));
        }

        return Task.CompletedTask;
    }
}
