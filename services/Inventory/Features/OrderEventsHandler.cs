using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Handles a batch of <c>order.created</c> and <c>order.updated</c> together: one set of locks for both topics, decisions in memory in the order
/// of the offsets (<see cref="OrderCreatedHandler"/>, <see cref="OrderUpdatedHandler"/>), one update per product at the end.
/// </summary>
internal sealed class OrderEventsHandler(StockLoader loader, ReadCache cache) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var stock = await loader.LoadAsync(await batch.GetConnectionAsync(cancellationToken), ScopeOf(events), cancellationToken);
        foreach (var received in events)
        {
            var (reservation, version) = received.Data switch
            {
                OrderCreated created => (OrderCreatedHandler.Apply(created, received.Id, stock), created.Version),
                OrderUpdated updated => (OrderUpdatedHandler.Apply(updated, received.Id, stock), updated.Version),
                _ => (null, 0),
            };
            if (reservation is not null)
            {
                batch.Publish(InventoryEvents.Decided(reservation, version, stock.Now, received));
            }
        }

        batch.Write(stock, events, cache);
    }

    public static Dictionary<Guid, long> SumByProduct(IEnumerable<OrderLine> lines) => ProductSums.Of(lines, line => line.ProductId, line => line.Quantity);

    /// <summary>What is wrong with lines that no valid order has, or null.</summary>
    public static string? Validate(IEnumerable<OrderLine> lines) =>
        lines.Any(line => line.Quantity < 1) ? "A line's quantity is below 1." : null;

    private static StockScope ScopeOf(IReadOnlyList<ReceivedEvent> events)
    {
        var (orders, products, holds, returns) = (new HashSet<Guid>(), new HashSet<Guid>(), new HashSet<Guid>(), false);
        foreach (var received in events)
        {
            switch (received.Data)
            {
                case OrderCreated created:
                    orders.Add(created.OrderId);
                    products.UnionWith(created.Lines.Select(line => line.ProductId));
                    holds.UnionWith(created.HoldId is { } hold ? [hold] : []);
                    break;
                case OrderUpdated updated:
                    orders.Add(updated.OrderId);
                    products.UnionWith([.. updated.Lines.Select(line => line.ProductId), .. updated.Revision?.Lines.Select(line => line.ProductId) ?? []]);
                    returns |= updated.Return is not null;
                    break;
                default:
                    throw new InvalidOperationException($"{received.Type} is not registered for this handler.");
            }
        }

        return new() { Orders = [.. orders], Products = [.. products], Holds = [.. holds], LockLocations = returns };
    }
}
