using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Pricing;

namespace OrderInventory.Orders.Features;

/// <summary>Keeps the copies of products current. The newest version wins, in whatever order the versions arrive.</summary>
internal sealed class ProductUpdatedHandler(CopyMemory memory) : IBatchHandler
{
    public Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var products = events.Select(e => (ProductUpdated)e.Data).GroupBy(p => p.ProductId).Select(g => g.MaxBy(p => p.Version)!).ToList();
        batch.Writes.BatchCommands.Add(Copies.Upsert(products.Select(p => new ProductCopy
        {
            ProductId = p.ProductId,
            Version = p.Version,
            Sku = p.Sku,
            Name = p.Name,
            Price = p.Price.Amount,
            Currency = p.Price.Currency,
            Status = p.Status,
        })));
        // Only saves the next order a second attempt: other replicas notice the change when they write an order.
        batch.AfterCommit(() => products.ForEach(p => memory.ForgetProduct(p.ProductId)));
        return Task.CompletedTask;
    }
}
