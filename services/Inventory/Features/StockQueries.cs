using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;

namespace OrderInventory.Inventory.Features;

internal static class StockQueries
{
    /// <summary>The products' levels in the order of their ids. One statement, so the sums are of one moment.</summary>
    public static async Task<List<StockLevel>> ReadLevelsAsync(
        this InventoryDb database, IReadOnlyCollection<Guid> products, CancellationToken cancellationToken = default)
    {
        var rows = await database.StockLevels.AsNoTracking()
            .Where(level => products.Contains(level.ProductId))
            .OrderBy(level => level.ProductId)
            .ToListAsync(cancellationToken);
        return [.. rows.GroupBy(row => row.ProductId).Select(Sum)];
    }

    /// <summary>The version of a product is the sum of its rows' versions, so it only grows.</summary>
    private static StockLevel Sum(IGrouping<Guid, StockLevelRow> rows) => new(
        rows.Key, rows.Sum(l => l.OnHand), rows.Sum(l => l.Reserved), rows.Sum(l => l.Available), rows.Max(l => l.LowStockThreshold), rows.Sum(l => l.Version),
        rows.Max(l => l.UpdatedAt),
        [.. rows.OrderBy(l => l.Location, StringComparer.Ordinal).Select(l => new LocationLevel(l.Location, l.OnHand, l.Reserved, l.Available))]);
}
