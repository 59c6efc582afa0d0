using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>The local copies of products, and the holds that contain them.</summary>
internal static class ProductCopies
{
    public static NpgsqlBatchCommand Upsert(IReadOnlyList<ProductUpdated> products) => new(
        """
        INSERT INTO product_copies (product_id, version, sku, name, status)
        SELECT * FROM unnest($1, $2, $3, $4, $5)
        ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, sku = excluded.sku, name = excluded.name, status = excluded.status
        WHERE product_copies.version < excluded.version
        """)
    {
        Parameters =
        {
            OutboxSql.Array(products, p => p.ProductId, NpgsqlDbType.Uuid),
            OutboxSql.Array(products, p => p.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(products, p => p.Sku, NpgsqlDbType.Text),
            OutboxSql.Array(products, p => p.Name, NpgsqlDbType.Text),
            OutboxSql.Array(products, p => JsonNamingPolicy.CamelCase.ConvertName(p.Status.ToString()), NpgsqlDbType.Text),
        },
    };

    public static async Task<Guid[]> FindHoldsAsync(NpgsqlConnection connection, Guid[] products, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT coalesce(array_agg(DISTINCT hold_id), '{}') FROM hold_lines WHERE product_id = ANY($1)", connection)
        {
            Parameters = { new() { Value = products } },
        };
        return (Guid[])(await find.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Makes the transaction run again when holds other than these have some of the products.</summary>
    public static NpgsqlBatchCommand EnsureHolds(Guid[] products, Guid[] holds) => new(
        """
        SELECT ensure_unchanged(NOT EXISTS (SELECT FROM hold_lines WHERE product_id = ANY($1) AND hold_id <> ALL($2)),
            'A hold was made while its stock was being locked.')
        """)
    {
        Parameters = { new() { Value = products }, new() { Value = holds } },
    };
}
