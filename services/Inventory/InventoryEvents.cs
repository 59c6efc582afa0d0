using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Inventory;

/// <summary>The events that this service publishes.</summary>
internal static class InventoryEvents
{
    public static readonly EventType<ReservationDecided> ReservationDecided =
        new(Contracts.Inventory.ReservationDecided.Topic, Contracts.Inventory.ReservationDecided.Type, "/inventory", EventsJson.Default.ReservationDecided);

    public static readonly EventType<StockCheckReplied> StockCheckReplied =
        new(Contracts.Inventory.StockCheckReplied.Topic, Contracts.Inventory.StockCheckReplied.Type, "/inventory", EventsJson.Default.StockCheckReplied);

    public static readonly EventType<InventoryUpdated> Updated =
        new(InventoryUpdated.Topic, InventoryUpdated.Type, "/inventory", EventsJson.Default.InventoryUpdated);

    /// <summary>One <c>inventory.updated</c> per product that changed, in the trace of the last event that moved it.</summary>
    public static IEnumerable<OutboxMessage> UpdatesOf(Stock stock, IReadOnlyDictionary<Guid, ReceivedEvent>? causes = null) => stock.Changed.Select(product => OutboxMessage.Create(
        Updated, product.ProductId, product.Version,
        new InventoryUpdated(
            product.ProductId, product.Version, product.OnHand, product.Reserved, product.Available, product.LowStockThreshold, product.Crossing, product.Stamp(stock.Now)),
        product.Stamp(stock.Now), product.LastEvent is { } cause ? causes?.GetValueOrDefault(cause) : null));

    /// <summary>The answer to one version of an order. The version of a late return is not the order's last one.</summary>
    public static OutboxMessage Decided(Reservation reservation, long version, DateTimeOffset now, ReceivedEvent cause)
    {
        var decidedAt = version == reservation.OrderVersion ? reservation.DecidedAt : now;
        return OutboxMessage.Create(
            ReservationDecided, reservation.OrderId, version,
            new ReservationDecided(reservation.OrderId, version, reservation.Outcome!.Value, reservation.Shortages, decidedAt), decidedAt, cause);
    }

    /// <summary>Adds the results of a batch's events to the batch: the rows, the events to publish, and the cache entries to invalidate.</summary>
    public static void Write(this InboxBatch batch, Stock stock, IReadOnlyList<ReceivedEvent> events, ReadCache cache)
    {
        batch.Writes.AddStock(stock);
        foreach (var message in UpdatesOf(stock, events.ToDictionary(received => received.Id)))
        {
            batch.Publish(message);
        }

        batch.AfterCommit(() => cache.Invalidate(stock));
    }
}
