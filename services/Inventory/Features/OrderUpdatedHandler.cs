using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Features;

/// <summary>Handles an order that was cancelled, has expired, was shipped, had goods returned, or is to have other lines.</summary>
internal static class OrderUpdatedHandler
{
    /// <summary>Whether the change of the order concerns stock; other changes do not move stock.</summary>
    public static bool Concerns(OrderUpdated order) => order.Return is not null
        || order.Status is OrderStatus.CancelPending or OrderStatus.Expired or OrderStatus.RevisionPending or OrderStatus.Shipped;

    public static string? Validate(OrderUpdated order) => order switch
    {
        { Status: OrderStatus.RevisionPending, Revision: null } => "A pending revision has no lines.",
        { Return: not null, Status: not (OrderStatus.Shipped or OrderStatus.Delivered) } => "Only shipped goods can be returned.",
        { Return.Lines.Count: 0 } => "A return has no lines.",
        { Return: { } returned } when returned.Lines.Any(line => line.Quantity < 1) => "A returned quantity is below 1.",
        _ => OrderEventsHandler.Validate([.. order.Lines, .. order.Revision?.Lines ?? []]),
    };

    /// <summary>
    /// Returns the decision, or null when this version or a later one was handled before; for a return, only when it was taken back before.
    /// </summary>
    public static Reservation? Apply(OrderUpdated order, Guid eventId, Stock stock)
    {
        var reservation = stock.Reservation(order.OrderId);
        if (order.Return is null ? reservation.HasHandled(order.Version) : reservation.HasAppliedReturn(order.Version))
        {
            return null;
        }

        switch (order)
        {
            case { Return: { } returned }:
                Return(order, returned, reservation, eventId, stock);
                break;
            case { Status: OrderStatus.CancelPending or OrderStatus.Expired }:
                Release(order, reservation, eventId, stock);
                break;
            case { Status: OrderStatus.RevisionPending }:
                Revise(order, reservation, eventId, stock);
                break;
            case { Status: OrderStatus.Shipped }:
                Ship(order, reservation, eventId, stock);
                break;
        }

        return reservation;
    }

    /// <summary>Releases what is held. When nothing is held yet, the row is the tombstone for the late <c>order.created</c>.</summary>
    private static void Release(OrderUpdated order, Reservation reservation, Guid eventId, Stock stock)
    {
        stock.Release(reservation.Lines, MovementKind.Released, new(eventId, order.OrderId));
        reservation.Decide(order.Version, ReservationOutcome.Released, [], [], stock.Now);
    }

    /// <summary>Applies the net difference per product, all of it or nothing.</summary>
    private static void Revise(OrderUpdated order, Reservation reservation, Guid eventId, Stock stock)
    {
        if (!reservation.IsLive)
        {
            reservation.Decide(order.Version, ReservationOutcome.RevisionRejected, reservation.Lines, [], stock.Now);
            return;
        }

        var wanted = OrderEventsHandler.SumByProduct(order.Revision!.Lines);
        var shortages = stock.FindShortages(wanted, reservation.Lines);
        if (shortages.Count > 0)
        {
            reservation.Decide(order.Version, ReservationOutcome.RevisionRejected, reservation.Lines, shortages, stock.Now);
            return;
        }

        var lines = stock.Change(reservation.Lines, wanted, MovementKind.Reserved, MovementKind.Released, new(eventId, order.OrderId));
        reservation.Decide(order.Version, ReservationOutcome.Revised, lines, [], stock.Now);
    }

    private static void Ship(OrderUpdated order, Reservation reservation, Guid eventId, Stock stock)
    {
        stock.Ship(reservation.Lines, new(eventId, order.OrderId));
        if (reservation.Lines.Count > 0)
        {
            reservation.Ship(reservation.Lines);
        }

        reservation.Decide(order.Version, ReservationOutcome.Shipped, [], [], stock.Now);
    }

    /// <summary>
    /// Takes back goods: to the location they came from, or, when they are not restocked, only in the ledger. The event carries the order's
    /// state, so a return that is replayed before its order's <c>shipped</c> implies it: the order is shipped first, and the late event finds its
    /// version handled. A return that is replayed after a later event does not change that event's decision: it adds only what came back.
    /// </summary>
    private static void Return(OrderUpdated order, OrderReturn returned, Reservation reservation, Guid eventId, Stock stock)
    {
        var isLate = reservation.HasHandled(order.Version);
        if (reservation.IsLive && !isLate)
        {
            Ship(order, reservation, eventId, stock);
        }

        var rest = reservation.Shipped.ToList();
        foreach (var line in returned.Lines)
        {
            ReturnLine(line, returned.Restock, rest, order.OrderId, eventId, stock);
        }

        reservation.ApplyReturn(order.Version, rest);
        if (!isLate)
        {
            reservation.Decide(order.Version, ReservationOutcome.Shipped, [], [], stock.Now);
        }
    }

    private static void ReturnLine(ReturnedLine line, bool restock, List<ReservedLine> shipped, Guid orderId, Guid eventId, Stock stock)
    {
        long missing = line.Quantity;
        for (var i = 0; i < shipped.Count && missing > 0; i++)
        {
            var origin = shipped[i];
            var quantity = origin.ProductId == line.ProductId ? Math.Min(missing, origin.Quantity) : 0;
            if (quantity == 0)
            {
                continue;
            }

            // If the location has been deleted meanwhile, the units go to the default location.
            var to = stock.Locations.ContainsKey(origin.Location) ? origin.Location : StockItem.DefaultLocation;
            var item = stock.ItemOrNew(line.ProductId, to);
            if (restock)
            {
                item.Receive(quantity);
            }

            stock.Record(item, MovementKind.Returned, restock ? quantity : 0, 0, new(eventId, orderId, Reason: restock ? null : $"not restocked: {quantity}"));
            shipped[i] = origin with { Quantity = origin.Quantity - quantity };
            missing -= quantity;
        }

        if (missing > 0)
        {
            // Orders prevents this; here it would create stock from nothing. It becomes a dead letter, which a person may replay if an order's
            // event was late.
            throw new InvalidOperationException($"More units of product {line.ProductId} were returned than the order shipped.");
        }
    }
}
