namespace OrderInventory.Inventory.Domain;

/// <summary>What happens to units that are promised: they are given back, shipped, or become more or fewer. Each movement has its row in the ledger.</summary>
internal static class PromisedUnits
{
    /// <summary>A line that <see cref="Release"/> would stumble over, because the level has less than it: the books are broken then.</summary>
    public static ReservedLine? FindUnreleasable(this Stock stock, IEnumerable<ReservedLine> lines) =>
        lines.FirstOrDefault(line => stock.Item(line.ProductId, line.Location) is not { } item || item.Reserved < line.Quantity);

    /// <summary>Gives promised units back, where they are.</summary>
    public static void Release(this Stock stock, IEnumerable<ReservedLine> lines, MovementKind kind, Cause cause)
    {
        foreach (var line in lines)
        {
            var item = stock.Locked(line);
            item.Release(line.Quantity);
            stock.Record(item, kind, 0, -line.Quantity, cause);
        }
    }

    /// <summary>Promised units leave the warehouse, from where they are.</summary>
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
