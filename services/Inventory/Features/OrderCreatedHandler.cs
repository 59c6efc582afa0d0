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
        var hold = LiveHold(order, stock);
        var held = hold?.Lines ?? [];
        var shortages = stock.Shortages(wanted, held);
        if (shortages.Count > 0)
        {
            // The hold stays: its owner may try again with less.
            reservation.Decide(order.Version, ReservationOutcome.Rejected, [], shortages, stock.Now);
            return reservation;
        }

        if (hold is not null)
        {
            // All of it is let go, and what the order wants of it is taken at once, from where it lies; nobody can come between.
            stock.EndHold(hold, HoldStatus.Consumed, cause, order.OrderId);
        }

        var lines = stock.Reserve(wanted, held, MovementKind.Reserved, cause, order.OrderId, holdId: null);
        reservation.Decide(order.Version, ReservationOutcome.Reserved, lines, [], stock.Now);
        return reservation;
    }

    /// <summary>Whether it would be refused for a shortage as things stand.</summary>
    public static bool IsShort(OrderCreated order, StockBatch stock) =>
        !stock.Reservation(order.OrderId).HasHandled(order.Version)
        && stock.Shortages(OrderEventsHandler.SumByProduct(order.Lines), LiveHold(order, stock)?.Lines ?? []).Count > 0;

    /// <summary>A hold that is gone, over, or another order's just does not help.</summary>
    private static Hold? LiveHold(OrderCreated order, StockBatch stock) =>
        order.HoldId is { } holdId && stock.Hold(holdId) is { IsLive: true } hold ? hold : null;
}
