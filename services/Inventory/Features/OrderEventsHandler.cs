using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Takes a batch of <c>order.created</c> and <c>order.updated</c> together: one set of locks for both topics, decisions in memory in the
/// order of the offsets (<see cref="OrderCreatedHandler"/>, <see cref="OrderUpdatedHandler"/>), one update per product at the end.
/// </summary>
internal sealed class OrderEventsHandler(ReadCache cache, InventoryOptions options, TimeProvider time) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var orders = new SortedSet<Guid>();
        var products = new SortedSet<Guid>();
        var holds = new SortedSet<Guid>();
        foreach (var received in events)
        {
            var (order, lines) = received.Data switch
            {
                OrderCreated created => (created.OrderId, created.Lines),
                OrderUpdated updated => (updated.OrderId, [.. updated.Lines, .. updated.Revision?.Lines ?? []]),
                _ => throw new InvalidOperationException($"{received.Type} is not registered for this handler."),
            };
            orders.Add(order);
            products.UnionWith(lines.Select(line => line.ProductId));
            if (received.Data is OrderCreated { HoldId: { } hold })
            {
                holds.Add(hold);
            }
        }

        // Only a return may make stock at a location; the many other batches do not lock what they do not need.
        var returns = events.Any(received => received.Data is OrderUpdated { Return: not null });
        var stock = await StockBatch.LoadAsync(
            batch.Connection, new([.. orders], [.. products], [.. holds], KeepLocations: returns), options.Allocation, time, cancellationToken);
        foreach (var received in events)
        {
            if (stock.HasDueHolds && IsShort(received.Data, stock))
            {
                await stock.ExpireDueHoldsAsync(batch.Connection, cancellationToken);
            }

            // The answer is to the event's version: that of a late return is not the last one of its order.
            var (reservation, version) = received.Data switch
            {
                OrderCreated created => (OrderCreatedHandler.Apply(created, received, stock), created.Version),
                OrderUpdated updated => (OrderUpdatedHandler.Apply(updated, received, stock), updated.Version),
                _ => (null, 0),
            };
            if (reservation is not null)
            {
                var decidedAt = version == reservation.OrderVersion ? reservation.DecidedAt : stock.Now;
                batch.Publish(OutboxMessage.Create(
                    InventoryEvents.ReservationDecided, reservation.OrderId, version,
                    new ReservationDecided(reservation.OrderId, version, reservation.Outcome!.Value, reservation.Shortages, decidedAt),
                    decidedAt, received));
            }
        }

        stock.Save(batch.Writes);
        foreach (var message in stock.Events())
        {
            batch.Publish(message);
        }

        batch.AfterCommit(() => cache.Invalidate([.. stock.Changed.Select(product => StockLevel.CacheKey(product.ProductId))]));
    }

    private static bool IsShort(object data, StockBatch stock) => data switch
    {
        OrderCreated created => OrderCreatedHandler.IsShort(created, stock),
        OrderUpdated updated => OrderUpdatedHandler.IsShort(updated, stock),
        _ => false,
    };

    public static Dictionary<Guid, long> SumByProduct(IEnumerable<OrderLine> lines) => ProductSums.Of(lines, line => line.ProductId, line => line.Quantity);

    /// <summary>What is wrong with lines that no order of ours has, or null.</summary>
    public static string? Validate(IEnumerable<OrderLine> lines) =>
        lines.Any(line => line.Quantity < 1) ? "A line's quantity is below 1." : null;
}
