using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Orders.Data;

/// <summary>The copies that an order was priced with.</summary>
/// <param name="Products">One for each product.</param>
/// <param name="Customer">Who orders; null when Customers itself has just confirmed that they exist.</param>
internal sealed record CopiesUsed(IReadOnlyList<ProductCopy> Products, Guid? Customer);

/// <summary>The copies of products and customers in the database. The newest version wins, in whatever order the versions arrive.</summary>
internal static class Copies
{
    public static async Task<IReadOnlyDictionary<Guid, ProductCopy>> ReadProductsAsync(NpgsqlDataSource database, IReadOnlyList<Guid> ids)
    {
        await using var command = database.CreateCommand(
            "SELECT product_id, version, sku, name, price, currency, status FROM product_copies WHERE product_id = ANY($1)");
        command.Parameters.Add(OutboxSql.Array(ids, id => id, NpgsqlDbType.Uuid));
        await using var reader = await command.ExecuteReaderAsync();
        var products = new Dictionary<Guid, ProductCopy>(ids.Count);
        while (await reader.ReadAsync())
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

        return products;
    }

    public static async Task<IReadOnlyDictionary<Guid, CustomerStatus>> ReadCustomersAsync(NpgsqlDataSource database, IReadOnlyList<Guid> ids)
    {
        await using var command = database.CreateCommand("SELECT customer_id, status FROM customer_copies WHERE customer_id = ANY($1)");
        command.Parameters.Add(OutboxSql.Array(ids, id => id, NpgsqlDbType.Uuid));
        await using var reader = await command.ExecuteReaderAsync();
        var customers = new Dictionary<Guid, CustomerStatus>(ids.Count);
        while (await reader.ReadAsync())
        {
            customers[reader.GetGuid(0)] = Enum.Parse<CustomerStatus>(reader.GetString(1), ignoreCase: true);
        }

        return customers;
    }

    /// <summary>
    /// Aborts the transaction with <see cref="Ensure.CopiesChanged"/> unless the copies used are current; otherwise sets how long the
    /// statements that follow wait for a lock.
    /// </summary>
    public static NpgsqlBatchCommand EnsureCurrent(IReadOnlyList<CopiesUsed> used, string lockTimeout)
    {
        var products = used.SelectMany(u => u.Products).Select(p => (p.ProductId, p.Version)).Distinct().ToList();
        var customers = used.Select(u => u.Customer).OfType<Guid>().Distinct().ToList();
        // Subqueries by key: each is an index lookup, whatever size of these tables the planner assumes.
        return new(
            $"""
            SELECT ensure(
                NOT EXISTS (
                    SELECT FROM unnest($1, $2) AS u (product_id, version)
                    WHERE (SELECT c.version FROM product_copies c WHERE c.product_id = u.product_id) IS DISTINCT FROM u.version)
                AND NOT EXISTS (
                    SELECT FROM unnest($3) AS u (customer_id)
                    WHERE (SELECT c.status FROM customer_copies c WHERE c.customer_id = u.customer_id) IS DISTINCT FROM 'active'),
                '{Ensure.CopiesChanged}', 'A product or a customer has changed since the order was priced.'),
                set_config('lock_timeout', $4, true)
            """)
        {
            Parameters =
            {
                OutboxSql.Array(products, p => p.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(products, p => p.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(customers, id => id, NpgsqlDbType.Uuid),
                new NpgsqlParameter<string> { TypedValue = lockTimeout },
            },
        };
    }

    public static NpgsqlBatchCommand Upsert(IEnumerable<ProductCopy> products)
    {
        ProductCopy[] sorted = [.. products.OrderBy(p => p.ProductId)];
        return new(
            """
            INSERT INTO product_copies (product_id, version, sku, name, price, currency, status)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (product_id) DO UPDATE
            SET version = excluded.version, sku = excluded.sku, name = excluded.name, price = excluded.price, currency = excluded.currency, status = excluded.status
            WHERE product_copies.version < excluded.version
            """)
        {
            Parameters =
            {
                OutboxSql.Array(sorted, p => p.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(sorted, p => p.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(sorted, p => p.Sku, NpgsqlDbType.Text),
                OutboxSql.Array(sorted, p => p.Name, NpgsqlDbType.Text),
                OutboxSql.Array(sorted, p => p.Price, NpgsqlDbType.Numeric),
                OutboxSql.Array(sorted, p => p.Currency, NpgsqlDbType.Text),
                OutboxSql.Array(sorted, p => JsonNamingPolicy.CamelCase.ConvertName(p.Status.ToString()), NpgsqlDbType.Text),
            },
        };
    }

    /// <summary>Adds copies of customers who exist, unless there are copies. Version 0: every event is newer.</summary>
    public static NpgsqlBatchCommand KeepCustomers(IEnumerable<Guid> customers) => new(
        "INSERT INTO customer_copies (customer_id, version, status) SELECT id, 0, 'active' FROM unnest($1) AS id ORDER BY id ON CONFLICT DO NOTHING")
    {
        Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. customers] } },
    };
}
