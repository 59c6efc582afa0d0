using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Orders.Data;

/// <summary>Writes the copies of products and customers. The newest version wins, in whatever order they come.</summary>
internal static class Copies
{
    public static NpgsqlBatchCommand Keep(IReadOnlyList<ProductCopy> products)
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

    /// <summary>Customers that are there; their event, of whatever version, is newer.</summary>
    public static NpgsqlBatchCommand KeepCustomers(Guid[] customers) => new(
        "INSERT INTO customer_copies (customer_id, version, status) SELECT id, 0, 'active' FROM unnest($1) AS id ORDER BY id ON CONFLICT DO NOTHING")
    {
        Parameters = { new() { Value = customers } },
    };
}
