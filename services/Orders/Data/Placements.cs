using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>What placing an order must know, read at once.</summary>
/// <param name="EarlierOrder">The order that this Idempotency-Key has made before, with its request's fingerprint.</param>
/// <param name="Customer">Null when there is no copy of the customer.</param>
/// <param name="Products">The copies that there are.</param>
internal sealed record PlacementFacts((Guid OrderId, byte[] Fingerprint)? EarlierOrder, CustomerStatus? Customer, Dictionary<Guid, ProductCopy> Products);

/// <summary>
/// The hottest path of the service: one round trip to read, one to write, which is the whole transaction. An address is stored only if the
/// customer is not erased by then, however long ago that was read.
/// </summary>
internal sealed class Placements(NpgsqlDataSource database, OutboxSignal signal)
{
    /// <summary>How long a request waits for another one with the same key that has not committed yet.</summary>
    private const string KeyLockTimeout = "250ms";

    /// <summary>How long orders wait for an erasure of a customer: long enough for any, but one that hangs must not stop all placements.</summary>
    private const string CustomerLockTimeout = "2s";

    private const int MaxGroup = 64;

    private readonly ConcurrentQueue<Placement> _waiting = new();
    private int _writing;

    public async Task<PlacementFacts> ReadAsync(Guid customerId, string key, Guid[] productIds, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT resource_id, fingerprint FROM idempotency_keys WHERE caller = $1 AND key = $2")
                {
                    Parameters = { new() { Value = customerId.ToString() }, new() { Value = key } },
                },
                new("SELECT status FROM customer_copies WHERE customer_id = $1") { Parameters = { new() { Value = customerId } } },
                new("SELECT product_id, version, sku, name, price, currency, status FROM product_copies WHERE product_id = ANY($1)")
                {
                    Parameters = { new() { Value = productIds } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        (Guid, byte[])? earlier = await reader.ReadAsync(cancellationToken) ? (reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null;
        await reader.NextResultAsync(cancellationToken);
        CustomerStatus? customer = await reader.ReadAsync(cancellationToken) ? Enum.Parse<CustomerStatus>(reader.GetString(0), ignoreCase: true) : null;
        await reader.NextResultAsync(cancellationToken);
        var products = new Dictionary<Guid, ProductCopy>(productIds.Length);
        while (await reader.ReadAsync(cancellationToken))
        {
            products[reader.GetGuid(0)] = new()
            {
                ProductId = reader.GetGuid(0),
                Version = reader.GetInt64(1),
                Sku = reader.GetString(2),
                Name = reader.GetString(3),
                Price = reader.GetDecimal(4),
                Currency = reader.GetString(5),
                Status = Enum.Parse<ProductStatus>(reader.GetString(6), ignoreCase: true),
            };
        }

        return new(earlier, customer, products);
    }

    /// <summary>
    /// Writes key, order, lines and event. Orders that arrive while others are being written go together in the next transaction: under
    /// load one commit, and one round trip, serves many; an order that comes alone does not wait for company.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller has gone before it was written; it may be written all the same.</exception>
    public Task<InsertResult> InsertAsync(Order order, string key, byte[] fingerprint, OutboxMessage created, CancellationToken cancellationToken)
    {
        var placement = new Placement(order, key, fingerprint, created);
        _waiting.Enqueue(placement);
        if (Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
        {
            _ = WriteAllAsync();
        }

        return placement.Written.Task.WaitAsync(cancellationToken);
    }

    private async Task WriteAllAsync()
    {
        do
        {
            var group = new List<Placement>();
            while (_waiting.TryDequeue(out var placement))
            {
                group.Add(placement);
                if (group.Count == MaxGroup)
                {
                    await WriteGroupAsync(group);
                    group = [];
                }
            }

            if (group.Count > 0)
            {
                await WriteGroupAsync(group);
            }

            // A full fence: the look below must not be made before others can see this.
            Interlocked.Exchange(ref _writing, 0);
        }
        // One that came between the last look and the line above has seen that somebody was writing.
        while (!_waiting.IsEmpty && Interlocked.CompareExchange(ref _writing, 1, 0) == 0);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is handed to the request that waits for it.")]
    private async Task WriteGroupAsync(List<Placement> group)
    {
        // Of several orders the first one's trace shows the write.
        Activity.Current = group[0].Trace;
        try
        {
            await WriteAsync(group);
            group.ForEach(placement => placement.Written.SetResult(InsertResult.Inserted));
        }
        catch (PostgresException) when (group.Count > 1)
        {
            // Nothing was written. Most likely one of them has a key that is taken: that must not fail the others.
            foreach (var placement in group)
            {
                await WriteGroupAsync([placement]);
            }
        }
        catch (PostgresException exception) when (exception is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "idempotency_keys" })
        {
            group[0].Written.SetResult(InsertResult.KeyIsTaken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            group[0].Written.SetResult(InsertResult.KeyIsInFlight);
        }
        catch (Exception exception)
        {
            group.ForEach(placement => placement.Written.SetException(exception));
        }
    }

    /// <summary>One implicit transaction. The keys come before the orders: an uncommitted key of another request cannot be seen, only waited for.</summary>
    private async Task WriteAsync(List<Placement> group)
    {
        // In one order, so that two replicas with two of the same keys do not lock each other out.
        group.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        Order[] orders = [.. group.Select(p => p.Order)];
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        LockCustomers(batch, orders);
        batch.BatchCommands.Add(SetLockTimeout(KeyLockTimeout));
        batch.BatchCommands.Add(InsertKeys(group));
        batch.BatchCommands.Add(InsertOrders(orders));
        batch.BatchCommands.Add(OrderBatch.InsertLines(orders));
        batch.BatchCommands.Add(History.Insert([.. group.Select(p => p.Placed)]));
        batch.AddOutbox([.. group.Select(p => p.Created)]);
        await batch.ExecuteNonQueryAsync();
        signal.Wake();
    }

    /// <summary>
    /// Keeps an erasure of the customers of orders with an address away until the commit: it changes the copy first and removes addresses
    /// then, so it either waits here and finds these orders, or is waited for here and seen by the statements that follow. A customer who is
    /// not known yet gets a copy, older than any event, so that there is a row to lock.
    /// </summary>
    private static void LockCustomers(NpgsqlBatch batch, Order[] orders)
    {
        // In one order, as the handler of customer.updated has them.
        var customers = orders.Where(o => o.ShipTo is not null).Select(o => o.CustomerId).Distinct().Order().ToArray();
        if (customers.Length == 0)
        {
            return;
        }

        batch.BatchCommands.Add(SetLockTimeout(CustomerLockTimeout));
        batch.BatchCommands.Add(new("INSERT INTO customer_copies (customer_id, version, status) SELECT id, 0, 'active' FROM unnest($1) AS id ON CONFLICT DO NOTHING")
        {
            Parameters = { new() { Value = customers } },
        });
        batch.BatchCommands.Add(new("SELECT FROM customer_copies WHERE customer_id = ANY($1) ORDER BY customer_id FOR SHARE")
        {
            Parameters = { new() { Value = customers } },
        });
    }

    private static NpgsqlBatchCommand SetLockTimeout(string timeout) =>
        new("SELECT set_config('lock_timeout', $1, true)") { Parameters = { new() { Value = timeout } } };

    private static NpgsqlBatchCommand InsertKeys(List<Placement> group) => new(
        """
        INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id, created_at)
        SELECT caller, key, CASE WHEN EXISTS (SELECT FROM customer_copies c WHERE c.customer_id = n.caller::uuid AND c.status = 'erased')
            THEN '' ELSE fingerprint END, resource_id, created_at
        FROM unnest($1, $2, $3, $4, $5) AS n (caller, key, fingerprint, resource_id, created_at)
        """)
    {
        Parameters =
        {
            OutboxSql.Array(group, p => p.Order.CustomerId.ToString(), NpgsqlDbType.Text),
            OutboxSql.Array(group, p => p.Key, NpgsqlDbType.Text),
            OutboxSql.Array(group, p => p.Fingerprint, NpgsqlDbType.Bytea),
            OutboxSql.Array(group, p => p.Order.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(group, p => p.Order.PlacedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
        },
    };

    private static NpgsqlBatchCommand InsertOrders(Order[] orders) => new(
        """
        INSERT INTO orders (id, customer_id, status, version, currency, total, hold_id, placed_at, updated_at, ship_to, ship_to_erased)
        SELECT id, customer_id, status, version, currency, total, hold_id, placed_at, placed_at,
            CASE WHEN erased THEN NULL ELSE ship_to::jsonb END, erased
        FROM (
            SELECT *, ship_to IS NOT NULL
                AND EXISTS (SELECT FROM customer_copies c WHERE c.customer_id = n.customer_id AND c.status = 'erased') AS erased
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS n (id, customer_id, status, version, currency, total, hold_id, placed_at, ship_to)
        ) AS n
        """)
    {
        Parameters =
        {
            OutboxSql.Array(orders, o => o.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => o.CustomerId, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => StatusNames.Format(o.Status), NpgsqlDbType.Text),
            OutboxSql.Array(orders, o => o.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(orders, o => o.Currency, NpgsqlDbType.Text),
            OutboxSql.Array(orders, o => o.Total, NpgsqlDbType.Numeric),
            OutboxSql.Array(orders, o => o.HoldId, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => o.PlacedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
            OutboxSql.Array(orders, o => OrderJson.Write(o.ShipTo), NpgsqlDbType.Text),
        },
    };

    private sealed record Placement(Order Order, string Key, byte[] Fingerprint, OutboxMessage Created)
    {
        public HistoryEntry Placed { get; } = History.Placed(Order, Created);
        public TaskCompletionSource<InsertResult> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Activity? Trace { get; } = Activity.Current;
    }
}

internal enum InsertResult
{
    Inserted,
    KeyIsTaken,
    KeyIsInFlight,
}
