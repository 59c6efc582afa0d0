using OrderInventory.Contracts.Products;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Keeps the local copies of products up to date. A deleted product is no longer low on stock, whatever its quantity, and carts no longer hold
/// it: a hold loses its lines of the product, and ends when it has no other lines.
/// </summary>
internal sealed class ProductUpdatedHandler(StockLoader loader, ReadCache cache) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var newest = events.Select(e => (Event: e, Product: (ProductUpdated)e.Data)).GroupBy(e => e.Product.ProductId)
            .Select(g => g.MaxBy(e => e.Product.Version)).OrderBy(e => e.Product.ProductId).ToList();
        var deleted = newest.Where(e => e.Product.Status == ProductStatus.Deleted).ToDictionary(e => e.Product.ProductId, e => e.Event.Id);
        if (deleted.Count > 0)
        {
            await ReleaseHoldsAsync(deleted, events, batch, cancellationToken);
        }

        batch.Writes.BatchCommands.Add(ProductCopies.Upsert([.. newest.Select(e => e.Product)]));
    }

    private async Task ReleaseHoldsAsync(Dictionary<Guid, Guid> deleted, IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        Guid[] products = [.. deleted.Keys];
        var connection = await batch.GetConnectionAsync(cancellationToken);
        var holds = await ProductCopies.FindHoldsAsync(connection, products, cancellationToken);
        var stock = await loader.LoadAsync(connection, new() { Products = products, Holds = holds }, cancellationToken);
        // A hold may have been made while the stock was being locked. The check is the first of the writes, and the stock is still locked then.
        batch.Writes.BatchCommands.Add(ProductCopies.EnsureHolds(products, holds));
        foreach (var hold in holds.Select(stock.Hold).OfType<Hold>().Where(hold => hold.Status == HoldStatus.Live && stock.FindUnreleasable(hold.Lines) is null))
        {
            ReleaseDeleted(hold, deleted, stock);
        }

        foreach (var product in products)
        {
            stock.Product(product)?.SetLowStockThreshold(0);
        }

        batch.Write(stock, events, cache);
    }

    private static void ReleaseDeleted(Hold hold, Dictionary<Guid, Guid> deleted, Stock stock)
    {
        foreach (var line in hold.Lines.Where(line => deleted.ContainsKey(line.ProductId)))
        {
            stock.Release([line], MovementKind.HoldReleased, new(deleted[line.ProductId], HoldId: hold.Id));
        }

        var rest = hold.Lines.Where(line => !deleted.ContainsKey(line.ProductId)).ToList();
        if (rest.Count == 0)
        {
            hold.End(HoldStatus.Released);
        }
        else
        {
            hold.Change(hold.Wanted.Where(line => !deleted.ContainsKey(line.Key)).ToDictionary(), rest);
        }
    }
}
