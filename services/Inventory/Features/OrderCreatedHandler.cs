using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Inventory.Features;

/// <summary>An order was placed: reserve all of it or nothing. A shortage is an outcome, not an error.</summary>
internal static class OrderCreatedHandler
{
    /// <summary>The decision, or null when the order is beyond this version already (its cancel came first).</summary>
    public static Reservation? Apply(OrderCreated order, ReceivedEvent cause, StockBatch stock)
    {
        var reservation = stock.Reservation(order.OrderId);
        if (reservation.HasHandled(order.Version))
        {
            return null;
        }

        var wanted = OrderEventsHandler.SumByProduct(order.Lines);
        var shortages = wanted
            .Where(line => line.Value > stock.Available(line.Key))
            .Select(line => new Shortage(line.Key, line.Value, stock.Available(line.Key)))
            .ToList();
        if (shortages.Count > 0)
        {
            reservation.Decide(order.Version, ReservationOutcome.Rejected, [], shortages, stock.Now);
            return reservation;
        }

        var lines = new List<ReservedLine>(wanted.Count);
        foreach (var (productId, quantity) in wanted)
        {
            var item = stock.Item(productId)!;
            item.Reserve(quantity);
            stock.Record(item, MovementKind.Reserved, 0, quantity, cause, order.OrderId);
            lines.Add(new(productId, item.Location, quantity));
        }

        reservation.Decide(order.Version, ReservationOutcome.Reserved, lines, [], stock.Now);
        return reservation;
    }
}
