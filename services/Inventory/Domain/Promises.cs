using OrderInventory.Contracts.Orders;

namespace OrderInventory.Inventory.Domain;

/// <summary>What is promised of the stock, given back and shipped, for an order or a hold. Each movement has its row in the ledger.</summary>
internal static class Promises
{
    /// <summary>What is short of the wanted units, when <paramref name="ownUnits"/> count as available and holds that are due no longer hold.</summary>
    public static IReadOnlyList<Shortage> FindShortages(this Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> ownUnits)
    {
        var shortages = Compare(stock, wanted, ownUnits);
        if (shortages.Count == 0 || stock.DueLines.Count == 0 || stock.ExpiredLines.Count > 0)
        {
            return shortages;
        }

        // Books that do not add up must not stop whoever comes by; the sweeper tells the operator.
        foreach (var held in stock.DueLines.Where(held => stock.FindUnreleasable([held.Line]) is null))
        {
            stock.Release([held.Line], MovementKind.HoldExpired, new(HoldId: held.HoldId));
            stock.Expire(held);
        }

        return Compare(stock, wanted, ownUnits);
    }

    /// <summary>Promises units, of which <see cref="FindShortages"/> has seen that they are there.</summary>
    public static IReadOnlyList<ReservedLine> Reserve(
        this Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> preferred, MovementKind kind, Cause cause)
    {
        var lines = Allocation.Choose(wanted, productId => stock.Product(productId)!, stock.Policy, preferred);
        foreach (var line in lines)
        {
            var item = Locked(stock, line);
            item.Reserve(line.Quantity);
            stock.Record(item, kind, 0, line.Quantity, cause);
        }

        return lines;
    }

    /// <summary>A line that <see cref="Release"/> would stumble over, because the level has less than it: the books are broken then.</summary>
    public static ReservedLine? FindUnreleasable(this Stock stock, IEnumerable<ReservedLine> lines) =>
        lines.FirstOrDefault(line => stock.Item(line.ProductId, line.Location) is not { } item || item.Reserved < line.Quantity);

    /// <summary>Gives promised units back, where they are.</summary>
    public static void Release(this Stock stock, IEnumerable<ReservedLine> lines, MovementKind kind, Cause cause)
    {
        foreach (var line in lines)
        {
            var item = Locked(stock, line);
            item.Release(line.Quantity);
            stock.Record(item, kind, 0, -line.Quantity, cause);
        }
    }

    /// <summary>Promised units leave the warehouse, from where they are.</summary>
    public static void Ship(this Stock stock, IEnumerable<ReservedLine> lines, Cause cause)
    {
        foreach (var line in lines)
        {
            var item = Locked(stock, line);
            item.Ship(line.Quantity);
            stock.Record(item, MovementKind.Shipped, -line.Quantity, -line.Quantity, cause);
        }
    }

    /// <summary>
    /// Makes what is promised be what is wanted, moving only the difference of each product: more is allocated, less is given back from
    /// the locations that would have been taken last.
    /// </summary>
    public static IReadOnlyList<ReservedLine> Change(
        this Stock stock, IReadOnlyList<ReservedLine> held, IReadOnlyDictionary<Guid, long> wanted, MovementKind moreKind, MovementKind lessKind, Cause cause)
    {
        var result = new List<ReservedLine>(wanted.Count);
        var more = new List<KeyValuePair<Guid, long>>();
        foreach (var product in held.GroupBy(line => line.ProductId))
        {
            var tooMuch = product.Sum(line => line.Quantity) - wanted.GetValueOrDefault(product.Key);
            foreach (var line in product.OrderByDescending(line => Locked(stock, line).Priority).ThenByDescending(line => line.Location, StringComparer.Ordinal))
            {
                var back = Math.Clamp(tooMuch, 0, line.Quantity);
                if (back > 0)
                {
                    stock.Release([line with { Quantity = back }], lessKind, cause);
                }

                if (back < line.Quantity)
                {
                    result.Add(line with { Quantity = line.Quantity - back });
                }

                tooMuch -= back;
            }

            if (tooMuch < 0)
            {
                more.Add(new(product.Key, -tooMuch));
            }
        }

        more.AddRange(wanted.Where(line => held.All(h => h.ProductId != line.Key)));
        foreach (var line in stock.Reserve(more, [], moreKind, cause))
        {
            Allocation.Add(result, line);
        }

        return result;
    }

    private static List<Shortage> Compare(Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> ownUnits)
    {
        var shortages = new List<Shortage>();
        foreach (var (productId, quantity) in wanted)
        {
            var available = stock.Available(productId);
            foreach (var own in ownUnits)
            {
                // What is promised from a location that has become inactive stays promised; it only is not given out anew.
                if (own.ProductId == productId)
                {
                    available += own.Quantity;
                }
            }

            if (quantity > available)
            {
                shortages.Add(new(productId, quantity, available));
            }
        }

        return shortages;
    }

    /// <summary>An order's event names every product that the order holds, so the row is locked; anything else is a defect.</summary>
    private static StockItem Locked(Stock stock, ReservedLine line) => stock.Item(line.ProductId, line.Location)
        ?? throw new InvalidOperationException($"Product {line.ProductId} at {line.Location} is held but was not locked.");
}
