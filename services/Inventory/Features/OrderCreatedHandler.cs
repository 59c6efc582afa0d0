using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Features;

/// <summary>Handles a new order: reserves all of it or nothing. A shortage is an outcome, not an error.</summary>
internal static class OrderCreatedHandler
{
    /// <summary>Returns the decision, or null when this version or a later one was handled before (its cancellation came first).</summary>
    public static Reservation? Apply(OrderCreated order, Guid eventId, Stock stock)
    {
        var reservation = stock.Reservation(order.OrderId);
        if (reservation.HasHandled(order.Version))
        {
            return null;
        }

        var wanted = OrderEventsHandler.SumByProduct(order.Lines);
        // A hold that is unknown or has ended, or that belongs to another order or customer, is ignored.
        var hold = order.HoldId is { } holdId && stock.Hold(holdId) is { IsLive: true } live && live.IsFor(order.CustomerId) ? live : null;
        var held = hold?.Lines ?? [];
        var shortages = stock.FindShortages(wanted, held);
        if (shortages.Count > 0)
        {
            // The hold stays: its owner may try again with less.
            reservation.Decide(order.Version, ReservationOutcome.Rejected, [], shortages, stock.Now);
            return reservation;
        }

        if (hold is not null)
        {
            // The hold is released and the order's units are taken from the same locations in one step, so no other order can take them.
            stock.EndHold(hold, HoldStatus.Consumed, eventId, order.OrderId);
        }

        var lines = stock.Reserve(wanted, held, MovementKind.Reserved, new(eventId, order.OrderId));
        reservation.Decide(order.Version, ReservationOutcome.Reserved, lines, [], stock.Now);
        return reservation;
    }
}
