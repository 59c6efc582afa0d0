namespace OrderInventory.Inventory.Domain;

/// <summary>How the locations that serve an order are chosen.</summary>
public enum AllocationPolicy
{
    /// <summary>The location with the lowest priority number first; several locations when one does not have enough.</summary>
    Priority,

    /// <summary>A single location that has the whole order, the best by priority among these; when there is none, by priority.</summary>
    WholeOrderFit,
}

/// <summary>Spreads wanted units over locations. It only decides where; the caller has checked that there is enough.</summary>
internal static class Allocation
{
    /// <param name="wanted">Units per product; at least 1 each.</param>
    /// <param name="stock">The stock of each wanted product.</param>
    /// <param name="policy">How locations are chosen.</param>
    /// <param name="preferred">Units to take first because they are set aside for this request, such as those just released by its hold.</param>
    /// <returns>One line per product and location: the preferred ones first, then in the order of <paramref name="wanted"/>.</returns>
    public static IReadOnlyList<ReservedLine> Choose(
        IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, Func<Guid, ProductStock> stock, AllocationPolicy policy, IReadOnlyList<ReservedLine> preferred)
    {
        var chosen = new List<ReservedLine>(wanted.Count);
        if (preferred.Count > 0)
        {
            var rest = wanted.ToDictionary();
            foreach (var ready in preferred)
            {
                var quantity = Math.Min(ready.Quantity, rest.GetValueOrDefault(ready.ProductId));
                if (quantity > 0)
                {
                    chosen.Add(ready with { Quantity = quantity });
                    rest[ready.ProductId] -= quantity;
                }
            }

            wanted = [.. rest.Where(line => line.Value > 0)];
        }

        long Free(StockItem item) => chosen.Count == 0
            ? item.Available
            : item.Available - chosen.Where(line => line.ProductId == item.ProductId && line.Location == item.Location).Sum(line => line.Quantity);

        var whole = policy == AllocationPolicy.WholeOrderFit ? FindWhole(wanted, stock, Free) : null;
        foreach (var (productId, quantity) in wanted)
        {
            var sellable = stock(productId).Sellable;
            if (sellable.Count == 1)
            {
                Add(chosen, new(productId, sellable[0].Location, quantity));
                continue;
            }

            var missing = quantity;
            foreach (var item in sellable.Where(item => whole is null || item.Location == whole))
            {
                var taken = Math.Min(missing, Free(item));
                if (taken > 0)
                {
                    Add(chosen, new(productId, item.Location, taken));
                    missing -= taken;
                }

                if (missing == 0)
                {
                    break;
                }
            }
        }

        return chosen;
    }

    /// <summary>The best location that has enough of everything, or null.</summary>
    private static string? FindWhole(
        IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, Func<Guid, ProductStock> stock, Func<StockItem, long> free)
    {
        IEnumerable<StockItem>? candidates = null;
        foreach (var (productId, quantity) in wanted)
        {
            var fitting = stock(productId).Sellable.Where(item => free(item) >= quantity).ToList();
            // The first product's candidates are in order of priority, and filtering keeps that order.
            candidates = candidates is null ? fitting : [.. candidates.Where(item => fitting.Exists(other => other.Location == item.Location))];
        }

        return candidates?.FirstOrDefault()?.Location;
    }

    /// <summary>Adds units to the line of their product and location, or as a new line.</summary>
    public static void Add(List<ReservedLine> lines, ReservedLine line)
    {
        var at = lines.FindIndex(other => other.ProductId == line.ProductId && other.Location == line.Location);
        if (at < 0)
        {
            lines.Add(line);
        }
        else
        {
            lines[at] = line with { Quantity = lines[at].Quantity + line.Quantity };
        }
    }
}
