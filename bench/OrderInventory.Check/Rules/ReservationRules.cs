using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class ReservationRules
{
    /// <summary>Each order has the one reservation that its status requires, with its lines, and every reservation has an order.</summary>
    public const string OneReservation = "one reservation per order";

    /// <summary>A hold has its units while it is live and none afterwards, and an order that used it has ended it.</summary>
    public const string Hold = "holds";

    public static IEnumerable<Violation> Find(History history, SystemFacts facts)
    {
        var orders = facts.Orders.ToDictionary(order => order.Id);
        foreach (var (id, reservations) in facts.Reservations.GroupBy(r => r.Order).ToDictionary(group => group.Key, group => group.ToList()))
        {
            if (reservations.Count > 1)
            {
                yield return new(OneReservation, $"Order {id} has {reservations.Count} reservations.", history.ByOrder[id]);
            }

            if (!orders.ContainsKey(id))
            {
                yield return new(OneReservation, $"There is a reservation ({reservations[0].Outcome}) for order {id}, which does not exist.", history.ByOrder[id]);
            }
        }

        var byOrder = facts.Reservations.ToLookup(r => r.Order);
        foreach (var order in facts.Orders)
        {
            if (Fault(order, byOrder[order.Id].FirstOrDefault()) is { } fault)
            {
                yield return new(OneReservation, $"Order {order.Id} is {order.Status}, version {order.Version}: {fault}", history.ByOrder[order.Id]);
            }
        }
    }

    public static IEnumerable<Violation> FindHolds(History history, SystemFacts facts)
    {
        var holds = facts.Holds.ToDictionary(hold => hold.Id);
        foreach (var made in history.Operations.Where(o => o is { Op: Op.Hold, IsAcknowledged: true, Hold: not null } && !holds.ContainsKey(o.Hold.Value)))
        {
            yield return new(Hold, $"Hold {made.Hold} was acknowledged but does not exist.", made);
        }

        var reserved = facts.Orders.Where(order => order.Hold is not null && order.Status is "confirmed" or "shipped" or "delivered").ToLookup(order => order.Hold);
        foreach (var hold in facts.Holds)
        {
            var (held, wanted) = (Units.Sum(hold.Held), Units.Sum(hold.Wanted));
            if (!Units.Same(held, hold.Status == "live" ? wanted : []))
            {
                yield return new(Hold, $"Hold {hold.Id} is {hold.Status}, of {Units.Text(wanted)}, but holds {Units.Text(held)}.", history.Operations.Where(o => o.Hold == hold.Id));
            }

            if (hold.Status == "live" && reserved[hold.Id].FirstOrDefault() is { } order)
            {
                yield return new(Hold, $"Hold {hold.Id} is still live, but order {order.Id} has its units too.", history.Operations.Where(o => o.Hold == hold.Id));
            }
        }
    }

    private static string? Fault(OrderFact order, ReservationFact? reservation)
    {
        var wanted = Units.Sum(order.Lines);
        switch (order.Status)
        {
            case "confirmed" when reservation is null || reservation.Outcome is not ("reserved" or "revised" or "revisionRejected"):
            case "shipped" or "delivered" when reservation?.Outcome is not "shipped":
            case "cancelled" when reservation?.Outcome is not "released":
            case "rejected" when order.RejectionCode == "insufficientStock" && reservation?.Outcome is not "rejected":
                return $"its reservation is {reservation?.Outcome ?? "missing"}.";
            case "confirmed" when !Units.Same(wanted, Units.Sum(reservation!.Lines)):
                return $"it needs {Units.Text(wanted)} but holds {Units.Text(Units.Sum(reservation.Lines))}.";
            case "shipped" or "delivered":
                var away = Units.Sum(order.Lines.Concat(order.Returned.Select(line => line with { Quantity = -line.Quantity })));
                return reservation!.Lines.Count > 0 ? $"it still holds {Units.Text(Units.Sum(reservation.Lines))}."
                    : !Units.Same(away, Units.Sum(reservation.Shipped)) ? $"{Units.Text(away)} are shipped and not returned, but Inventory has {Units.Text(Units.Sum(reservation.Shipped))}."
                    : null;
            case "cancelled" or "rejected" or "expired" when reservation?.Lines.Count > 0:
                return $"it still holds {Units.Text(Units.Sum(reservation.Lines))}.";
            default:
                return null;
        }
    }
}
