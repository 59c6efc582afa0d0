using OrderInventory.Inventory.Data;

namespace OrderInventory.Inventory.Features;

internal static class StockQueries
{
    /// <summary>Levels as sums over locations: the version of a product is the sum of its rows' versions, so it only grows.</summary>
    public static IQueryable<StockLevel> Levels(IQueryable<IGrouping<Guid, StockLevelRow>> products) => products
        .Select(g => new StockLevel(
            g.Key, g.Sum(l => l.OnHand), g.Sum(l => l.Reserved), g.Sum(l => l.Available), g.Max(l => l.LowStockThreshold), g.Sum(l => l.Version),
            g.Max(l => l.UpdatedAt)));
}
