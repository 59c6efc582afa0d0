using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Inventory.Features;

/// <summary>An order was cancelled, has expired, was shipped, or wants other lines.</summary>
internal static class OrderUpdatedHandler
{
    /// <summary>The other changes of an order do not move stock.</summary>
    public static bool Concerns(OrderUpdated order) =>
        order.Status is OrderStatus.CancelPending or OrderStatus.Expired or OrderStatus.RevisionPending or OrderStatus.Shipped;

    public static string? Validate(OrderUpdated order) => order is { Status: OrderStatus.RevisionPending, Revision: null }
        ? "A pending revision has no lines."
        : OrderEventsHandler.Validate([.. order.Lines, .. order.Revision?.Lines ?? []]);

    /// <summary>The decision, or null when the order is beyond this version already.</summary>
    public static Reservation? Apply(OrderUpdated order, ReceivedEvent cause, StockBatch stock)
    {
        var reservation = stock.Reservation(order.OrderId);
        if (reservation.HasHandled(order.Version))
        {
            return null;
        }

        switch (order.Status)
        {
            case OrderStatus.CancelPending or OrderStatus.Expired:
                Release(order, reservation, cause, stock);
                break;
            case OrderStatus.RevisionPending:
                Revise(order, reservation, cause, stock);
                break;
            case OrderStatus.Shipped:
                Ship(order, reservation, cause, stock);
                break;
        }

        return reservation;
    }

    /// <summary>Gives back what is held. Nothing may be held yet: then the row is the tombstone that the late <c>order.created</c> meets.</summary>
    private static void Release(OrderUpdated order, Reservation reservation, ReceivedEvent cause, StockBatch stock)
    {
        foreach (var line in reservation.Lines)
        {
            var item = Locked(stock, line.ProductId);
            item.Release(line.Quantity);
            stock.Record(item, MovementKind.Released, 0, -line.Quantity, cause, order.OrderId);
        }

        reservation.Decide(order.Version, ReservationOutcome.Released, [], [], stock.Now);
    }

    /// <summary>Applies the net difference per product, all of it or nothing.</summary>
    private static void Revise(OrderUpdated order, Reservation reservation, ReceivedEvent cause, StockBatch stock)
    {
        if (!reservation.IsLive)
        {
            reservation.Decide(order.Version, ReservationOutcome.RevisionRejected, reservation.Lines, [], stock.Now);
            return;
        }

        var wanted = OrderEventsHandler.SumByProduct(order.Revision!.Lines);
        var held = reservation.Lines.ToDictionary(line => line.ProductId, line => line.Quantity);
        var shortages = wanted
            .Select(line => new Shortage(line.Key, line.Value, stock.Available(line.Key) + held.GetValueOrDefault(line.Key)))
            .Where(line => line.Requested > line.Available)
            .ToList();
        if (shortages.Count > 0)
        {
            reservation.Decide(order.Version, ReservationOutcome.RevisionRejected, reservation.Lines, shortages, stock.Now);
            return;
        }

        foreach (var productId in wanted.Keys.Union(held.Keys))
        {
            var delta = wanted.GetValueOrDefault(productId) - held.GetValueOrDefault(productId);
            if (delta == 0)
            {
                continue;
            }

            var item = Locked(stock, productId);
            if (delta > 0)
            {
                item.Reserve(delta);
            }
            else
            {
                item.Release(-delta);
            }

            stock.Record(item, delta > 0 ? MovementKind.Reserved : MovementKind.Released, 0, delta, cause, order.OrderId);
        }

        reservation.Decide(
            order.Version, ReservationOutcome.Revised,
            [.. wanted.Select(line => new ReservedLine(line.Key, StockItem.DefaultLocation, line.Value))], [], stock.Now);
    }

    private static void Ship(OrderUpdated order, Reservation reservation, ReceivedEvent cause, StockBatch stock)
    {
        foreach (var line in reservation.Lines)
        {
            var item = Locked(stock, line.ProductId);
            item.Ship(line.Quantity);
            stock.Record(item, MovementKind.Shipped, -line.Quantity, -line.Quantity, cause, order.OrderId);
        }

        reservation.Decide(order.Version, ReservationOutcome.Shipped, [], [], stock.Now);
    }

    /// <summary>The event names every product that its order holds, so the row is locked; anything else is a defect.</summary>
    private static StockItem Locked(StockBatch stock, Guid productId) =>
        stock.Item(productId) ?? throw new InvalidOperationException($"Product {productId} is held by the order but is not in its event.");
}
