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

/// <summary>The hottest path of the service: one round trip to read, one to write, which is the whole transaction.</summary>
internal sealed class Placements(NpgsqlDataSource database, OutboxSignal signal)
{
    /// <summary>How long a request waits for another one with the same key that has not committed yet.</summary>
    private const string KeyLockTimeout = "250ms";

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
    /// Writes key, order, lines and event as one implicit transaction. The key comes first: an uncommitted key of another request cannot
    /// be seen, only waited for.
    /// </summary>
    public async Task<InsertResult> InsertAsync(Order order, string key, byte[] fingerprint, OutboxMessage created, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT set_config('lock_timeout', $1, true)") { Parameters = { new() { Value = KeyLockTimeout } } },
                new("INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id, created_at) VALUES ($1, $2, $3, $4, $5)")
                {
                    Parameters =
                    {
                        new() { Value = order.CustomerId.ToString() }, new() { Value = key }, new() { Value = fingerprint },
                        new() { Value = order.Id }, new() { Value = order.PlacedAt.UtcDateTime },
                    },
                },
                new("""
                    INSERT INTO orders (id, customer_id, status, version, currency, total, hold_id, placed_at, updated_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                    """)
                {
                    Parameters =
                    {
                        new() { Value = order.Id }, new() { Value = order.CustomerId }, new() { Value = StatusNames.Format(order.Status) },
                        new() { Value = order.Version }, new() { Value = order.Currency }, new() { Value = order.Total },
                        new() { Value = (object?)order.HoldId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                        new() { Value = order.PlacedAt.UtcDateTime },
                    },
                },
                OrderBatch.InsertLines([order]),
            },
        };
        batch.AddOutbox(created);
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "idempotency_keys" })
        {
            return InsertResult.KeyIsTaken;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return InsertResult.KeyIsInFlight;
        }

        signal.Wake();
        return InsertResult.Inserted;
    }
}

internal enum InsertResult
{
    Inserted,
    KeyIsTaken,
    KeyIsInFlight,
}
