namespace OrderInventory.Inventory.Domain;

/// <summary>Changes promised units: they are released or shipped, or become more or fewer. Each movement has a ledger row.</summary>
internal static class PromisedUnits
{
    /// <summary>
    /// A line that <see cref="Release"/> cannot release, because its level has fewer units reserved; the stock records are then inconsistent.
    /// </summary>
    public static ReservedLine? FindUnreleasable(this Stock stock, IEnumerable<ReservedLine> lines) =>
        lines.FirstOrDefault(line => stock.Item(line.ProductId, line.Location) is not { } item || item.Reserved < line.Quantity);

    /// <summary>Releases promised units at their locations.</summary>
    public static void Release(this Stock stock, IEnumerable<ReservedLine> lines, MovementKind kind, Cause cause)
    {
        foreach (var line in lines)
        {
            var item = stock.Locked(line);
            item.Release(line.Quantity);
            stock.Record(item, kind, 0, -line.Quantity, cause);
        }
    }

    /// <summary>Ships promised units from their locations.</summary>
    public static void Ship(this Stock stock, IEnumerable<ReservedLine> lines, Cause cause)
    {
        foreach (var line in lines)
        {
            var item = stock.Locked(line);
            item.Ship(line.Quantity);
            stock.Record(item, MovementKind.Shipped, -line.Quantity, -line.Quantity, cause);
        }
    }

    /// <summary>
    /// Changes the promised units to the wanted ones, moving only the difference of each product: more units are allocated, and surplus units are
    /// released from the locations that allocation would use last.
    /// </summary>
    public static IReadOnlyList<ReservedLine> Change(
        this Stock stock, IReadOnlyList<ReservedLine> held, IReadOnlyDictionary<Guid, long> wanted, MovementKind moreKind, MovementKind lessKind, Cause cause)
    {
        var result = new List<ReservedLine>(wanted.Count);
        var more = new List<KeyValuePair<Guid, long>>();
        foreach (var product in held.GroupBy(line => line.ProductId))
        {
            var tooMuch = product.Sum(line => line.Quantity) - wanted.GetValueOrDefault(product.Key);
            foreach (var line in product.OrderByDescending(line => stock.Locked(line).Priority).ThenByDescending(line => line.Location, StringComparer.Ordinal))
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
}
