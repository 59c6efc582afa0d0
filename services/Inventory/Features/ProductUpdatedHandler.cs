using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Products;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Keeps the copies of products current. A product that was deleted is no longer low, whatever there is of it, and carts no longer hold
/// it: a hold loses its lines of the product, and ends when it has no other.
/// </summary>
internal sealed class ProductUpdatedHandler(ReadCache cache, InventoryOptions options, TimeProvider time) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var newest = events.Select(e => (Event: e, Product: (ProductUpdated)e.Data)).GroupBy(e => e.Product.ProductId)
            .Select(g => g.MaxBy(e => e.Product.Version)).OrderBy(e => e.Product.ProductId).ToList();
        var deleted = newest.Where(e => e.Product.Status == ProductStatus.Deleted).ToDictionary(e => e.Product.ProductId, e => e.Event);
        batch.Writes.BatchCommands.Add(Keep([.. newest.Select(e => e.Product)]));
        if (deleted.Count == 0)
        {
            return;
        }

        var holds = await FindHoldsAsync(batch.Connection, [.. deleted.Keys], cancellationToken);
        var stock = await StockBatch.LoadAsync(batch.Connection, new([], [.. deleted.Keys.Order()], holds), options.Allocation, time, cancellationToken);
        if ((await FindHoldsAsync(batch.Connection, [.. deleted.Keys], cancellationToken)).Except(holds).Any())
        {
            // Made while the stock was being locked; whoever runs the transaction repeats it.
            throw DatabaseValues.Changed("A hold was made while its stock was being locked.");
        }

        foreach (var hold in holds.Select(stock.Hold).OfType<Hold>().Where(hold => hold.Status == HoldStatus.Live && stock.FindUnreleasable(hold.Lines) is null))
        {
            LetGo(hold, deleted, stock, batch.Writes);
        }

        foreach (var product in deleted.Keys)
        {
            stock.Product(product)?.SetLowStockThreshold(0);
        }

        stock.Save(batch.Writes);
        foreach (var message in stock.Events())
        {
            batch.Publish(message);
        }

        batch.AfterCommit(() => cache.Invalidate([.. stock.Changed.Select(product => StockLevel.CacheKey(product.ProductId))]));
    }

    private static void LetGo(Hold hold, Dictionary<Guid, ReceivedEvent> deleted, StockBatch stock, NpgsqlBatch writes)
    {
        var rest = hold.Lines.Where(line => !deleted.ContainsKey(line.ProductId)).ToList();
        foreach (var line in hold.Lines.Where(line => deleted.ContainsKey(line.ProductId)))
        {
            stock.Release([line], MovementKind.HoldReleased, deleted[line.ProductId], null, hold.Id);
        }

        if (rest.Count == 0)
        {
            hold.End(HoldStatus.Released);
            return;
        }

        hold.Change(rest);
        writes.BatchCommands.Add(new(
            "UPDATE holds SET lines = (SELECT jsonb_agg(line) FROM jsonb_array_elements(lines) AS line WHERE (line ->> 'productId')::uuid <> ALL($2)) WHERE id = $1")
        {
            Parameters = { new() { Value = hold.Id }, new() { Value = deleted.Keys.ToArray() } },
        });
    }

    private static async Task<Guid[]> FindHoldsAsync(NpgsqlConnection connection, Guid[] products, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT coalesce(array_agg(DISTINCT hold_id), '{}') FROM hold_lines WHERE product_id = ANY($1)", connection)
        {
            Parameters = { new() { Value = products } },
        };
        return (Guid[])(await find.ExecuteScalarAsync(cancellationToken))!;
    }

    private static NpgsqlBatchCommand Keep(IReadOnlyList<ProductUpdated> products) => new(
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
}
