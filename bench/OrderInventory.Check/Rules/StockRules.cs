using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class StockRules
{
    /// <summary>The reserved units of a level are the sum of what orders and holds have of it.</summary>
    public const string ReservedIsHeld = "reserved is held";

    /// <summary>A level is the sum of its ledger.</summary>
    public const string LevelIsLedger = "level is ledger";

    /// <summary>In the levels, and after each movement in the order of the ledger, reserved is never negative and never above on hand.</summary>
    public const string NeverOversold = "never oversold";

    /// <summary>The ledger's movements of an order add up to the units that it holds, that were shipped and that were returned.</summary>
    public const string OrderMovesOnce = "an order moves stock once";

    /// <summary>An event moves a product at most once.</summary>
    public const string EventMovesOnce = "an event moves stock once";

    /// <summary>An acknowledged adjustment or stocktake has one row in the ledger, a refused one none, and any other at most one.</summary>
    public const string StaffMovesOnce = "staff moves stock once";

    private static readonly string[] s_ofOrders = ["reserved", "released", "shipped", "returned"];
    private static readonly string[] s_ofStaff = ["adjusted", "counted"];

    public static IEnumerable<Violation> FindUnequalReserved(History history, SystemFacts facts)
    {
        var held = facts.Reservations.SelectMany(r => r.Lines).Concat(facts.Holds.SelectMany(h => h.Held))
            .GroupBy(line => (line.ProductId, line.Location), line => line.Quantity).ToDictionary(group => group.Key, group => group.Sum());
        var levels = facts.Levels.ToDictionary(level => (level.Product, level.Location), level => level.Reserved);
        foreach (var place in held.Keys.Union(levels.Keys))
        {
            var (has, wants) = (levels.GetValueOrDefault(place), held.GetValueOrDefault(place));
            if (has != wants)
            {
                yield return new(ReservedIsHeld, $"Product {place.Item1} at {place.Item2} has {has} reserved; orders and holds have {wants}.");
            }
        }
    }

    public static IEnumerable<Violation> FindUnequalLevels(History history, SystemFacts facts)
    {
        var ledger = facts.Movements.GroupBy(m => (m.Product, m.Location)).ToDictionary(group => group.Key, group => (group.Sum(m => m.OnHand), group.Sum(m => m.Reserved)));
        var levels = facts.Levels.ToDictionary(level => (level.Product, level.Location), level => (level.OnHand, level.Reserved));
        foreach (var place in ledger.Keys.Union(levels.Keys))
        {
            var (level, sum) = (levels.GetValueOrDefault(place), ledger.GetValueOrDefault(place));
            if (level != sum)
            {
                yield return new(LevelIsLedger, $"Product {place.Item1} at {place.Item2} has (on hand, reserved) {level}, but its ledger adds up to {sum}.");
            }
        }
    }

    public static IEnumerable<Violation> FindOversold(History history, SystemFacts facts)
    {
        foreach (var level in facts.Levels.Where(level => level.Reserved < 0 || level.Reserved > level.OnHand))
        {
            yield return new(NeverOversold, $"Product {level.Product} at {level.Location} has {level.Reserved} reserved of {level.OnHand} on hand.");
        }

        foreach (var place in facts.Movements.GroupBy(m => (m.Product, m.Location)))
        {
            var (onHand, reserved) = (0L, 0L);
            foreach (var movement in place)
            {
                (onHand, reserved) = (onHand + movement.OnHand, reserved + movement.Reserved);
                if (reserved < 0 || reserved > onHand)
                {
                    yield return new(
                        NeverOversold, $"After movement {movement.Id} ({movement.Kind}, order {movement.Order}) product {movement.Product} has {reserved} reserved of {onHand} on hand.",
                        movement.Order is { } order ? history.ByOrder[order] : []);
                    break;
                }
            }
        }
    }

    public static IEnumerable<Violation> FindUnequalOrders(History history, SystemFacts facts)
    {
        var movements = facts.Movements.Where(m => m.Order is not null && s_ofOrders.Contains(m.Kind)).ToLookup(m => m.Order!.Value);
        var reservations = facts.Reservations.ToLookup(r => r.Order, r => r.Lines);
        foreach (var id in movements.Select(group => group.Key).Union(reservations.Select(group => group.Key)))
        {
            var held = Units.Sum(reservations[id].SelectMany(lines => lines));
            var reserved = Units.Sum(movements[id].Select(m => (m.Product, m.Reserved)));
            if (!Units.Same(held, reserved))
            {
                yield return new(OrderMovesOnce, $"Order {id} holds {Units.Text(held)}, but the ledger has reserved {Units.Text(reserved)} for it.", history.ByOrder[id]);
            }
        }

        foreach (var order in facts.Orders.Where(order => order.Status is "shipped" or "delivered"))
        {
            var left = Units.Sum(movements[order.Id].Where(m => m.Kind == "shipped").Select(m => (m.Product, -m.OnHand)));
            if (!Units.Same(left, Units.Sum(order.Lines)))
            {
                yield return new(OrderMovesOnce, $"Order {order.Id} of {Units.Text(order.Lines)} was shipped, but the ledger has shipped {Units.Text(left)}.", history.ByOrder[order.Id]);
            }

            var back = Units.Sum(movements[order.Id].Where(m => m.Kind == "returned").Select(m => (m.Product, m.OnHand)));
            if (!Units.Same(back, Units.Sum(order.Returned)))
            {
                yield return new(OrderMovesOnce, $"Order {order.Id} has {Units.Text(order.Returned)} returned, but the ledger has {Units.Text(back)}.", history.ByOrder[order.Id]);
            }
        }
    }

    public static IEnumerable<Violation> FindRepeatedMovements(History history, SystemFacts facts) => facts.Movements
        .Where(m => m.Event is not null)
        .GroupBy(m => (m.Event, m.Product, m.Location, m.Kind, m.Hold))
        .Where(group => group.Count() > 1)
        .Select(group => new Violation(
            EventMovesOnce, $"Event {group.Key.Event} has moved product {group.Key.Product} ({group.Key.Kind}) {group.Count()} times.",
            group.First().Order is { } order ? history.ByOrder[order] : []));

    public static IEnumerable<Violation> FindStaff(History history, SystemFacts facts)
    {
        var requests = history.Operations.Where(o => o.Reference is not null).ToLookup(o => o.Reference!);
        var rows = facts.Movements.Where(m => m.Reference is not null && s_ofStaff.Contains(m.Kind)).ToLookup(m => m.Reference!);
        foreach (var request in requests)
        {
            var made = rows[request.Key].ToList();
            var acknowledged = request.Any(o => o.IsAcknowledged);
            // A stocktake that counts what it expected changes nothing and has no row.
            var isNothing = request.First().Op == Op.Stocktake && request.First().Expected == request.First().Counted;
            if (made.Count > 1 || (acknowledged && !isNothing && made.Count == 0))
            {
                yield return new(StaffMovesOnce, $"{request.First().Op} {request.Key} of product {request.First().Product} has {made.Count} rows in the ledger.", request);
            }
            else if (made.Count == 1 && request.All(o => o.IsRefused))
            {
                yield return new(StaffMovesOnce, $"{request.First().Op} {request.Key} of product {request.First().Product} was refused but is in the ledger.", request);
            }
            else if (made.Count == 1 && made[0].OnHand != (request.First().Delta ?? request.First().Counted - request.First().Expected))
            {
                yield return new(StaffMovesOnce, $"{request.First().Op} {request.Key} moved {made[0].OnHand} units, which is not what was requested.", request);
            }
        }

        var products = history.Run.Products.Concat(history.Run.Registers.Select(r => r.ProductId)).ToHashSet();
        foreach (var row in rows.Where(row => !requests.Contains(row.Key)).SelectMany(row => row).Where(row => products.Contains(row.Product)))
        {
            yield return new(StaffMovesOnce, $"Movement {row.Id} of product {row.Product} has the reference {row.Reference}, which no client sent.");
        }
    }
}
