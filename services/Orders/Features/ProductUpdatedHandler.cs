using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Orders.Features;

/// <summary>Keeps the copies of products current. The newest version wins, in whatever order they come.</summary>
internal sealed class ProductUpdatedHandler : IBatchHandler
{
    public Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var products = events.Select(e => (ProductUpdated)e.Data).GroupBy(p => p.ProductId).Select(g => g.MaxBy(p => p.Version)!).OrderBy(p => p.ProductId).ToList();
        batch.Writes.BatchCommands.Add(new(
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
                OutboxSql.Array(products, p => p.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(products, p => p.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(products, p => p.Sku, NpgsqlDbType.Text),
                OutboxSql.Array(products, p => p.Name, NpgsqlDbType.Text),
                OutboxSql.Array(products, p => p.Price.Amount, NpgsqlDbType.Numeric),
                OutboxSql.Array(products, p => p.Price.Currency, NpgsqlDbType.Text),
                OutboxSql.Array(products, p => JsonNamingPolicy.CamelCase.ConvertName(p.Status.ToString()), NpgsqlDbType.Text),
            },
        });
        return Task.CompletedTask;
    }
}
