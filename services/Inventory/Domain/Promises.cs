using OrderInventory.Contracts.Orders;

namespace OrderInventory.Inventory.Domain;

/// <summary>Promises stock to an order or a hold. Each movement has a ledger row. <see cref="PromisedUnits"/> changes what was promised.</summary>
internal static class Promises
{
    /// <summary>
    /// Finds what is short of the wanted units; <paramref name="ownUnits"/> count as available, and units of due holds are released first when
    /// needed.
    /// </summary>
    public static IReadOnlyList<Shortage> FindShortages(this Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> ownUnits)
    {
        var shortages = Compare(stock, wanted, ownUnits);
        if (shortages.Count == 0 || stock.DueLines.Count == 0 || stock.ExpiredLines.Count > 0)
        {
            return shortages;
        }

        // Inconsistent stock records must not stop other requests; the sweeper reports them.
        foreach (var held in stock.DueLines.Where(held => stock.FindUnreleasable([held.Line]) is null))
        {
            stock.Release([held.Line], MovementKind.HoldExpired, new(HoldId: held.HoldId));
            stock.Expire(held);
        }

        return Compare(stock, wanted, ownUnits);
    }

    /// <summary>Promises units that <see cref="FindShortages"/> has found to be available.</summary>
    public static IReadOnlyList<ReservedLine> Reserve(
        this Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> preferred, MovementKind kind, Cause cause)
    {
        var lines = Allocation.Choose(wanted, productId => stock.Product(productId)!, stock.Policy, preferred);
        foreach (var line in lines)
        {
            var item = stock.Locked(line);
            item.Reserve(line.Quantity);
            stock.Record(item, kind, 0, line.Quantity, cause);
        }

        return lines;
    }

    private static List<Shortage> Compare(Stock stock, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> ownUnits)
    {
        var shortages = new List<Shortage>();
        foreach (var (productId, quantity) in wanted)
        {
            var available = stock.Available(productId);
            foreach (var own in ownUnits)
            {
                // Units promised from a location that has become inactive stay promised; no new ones are promised from it.
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
}
