using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Inventory.Data;

internal static class StockQueries
{
    /// <summary>The products' levels in the order of their ids, with catalogue data. One statement, so the sums are of the same moment.</summary>
    public static async Task<List<StockLevel>> ReadLevelsAsync(
        this InventoryDb database, IReadOnlyCollection<Guid> products, bool evenRemoved = false, CancellationToken cancellationToken = default)
    {
        var levels = database.StockLevels.AsNoTracking();
        var rows = await (evenRemoved ? levels.IgnoreQueryFilters() : levels)
            .Where(level => products.Contains(level.ProductId))
            .LeftJoin(database.ProductCopies, level => level.ProductId, product => product.ProductId, (level, product) => new { Level = level, Product = product })
            .OrderBy(row => row.Level.ProductId)
            .ToListAsync(cancellationToken);
        return [.. rows.GroupBy(row => row.Level.ProductId).Select(g => Sum(g.Key, [.. g.Select(row => row.Level)], g.First().Product))];
    }

    /// <summary>One product's level as its single resource shows it; null without a record.</summary>
    public static async Task<StockLevel?> ReadLevelAsync(
        this InventoryDb database, Guid productId, bool evenRemoved = false, CancellationToken cancellationToken = default) =>
        (await database.ReadLevelsAsync([productId], evenRemoved, cancellationToken)) is [var level] ? level with { Product = null } : null;

    /// <summary>The codes of the inactive locations; there are at most 200 locations.</summary>
    public static Task<string[]> ReadInactiveLocationsAsync(this InventoryDb database, CancellationToken cancellationToken = default) =>
        database.Locations.Where(location => !location.Active).Select(location => location.Code).ToArrayAsync(cancellationToken);

    /// <summary>The version of a product is the sum of its rows' versions, so it only grows.</summary>
    private static StockLevel Sum(Guid productId, List<StockLevelRow> rows, ProductCopy? product) => new(
        productId, rows.Sum(l => l.OnHand), rows.Sum(l => l.Reserved), rows.Sum(l => l.Available), rows.Max(l => l.LowStockThreshold), rows.Sum(l => l.Version),
        rows.Max(l => l.UpdatedAt),
        [.. rows.OrderBy(l => l.Location, StringComparer.Ordinal).Select(l => new LocationLevel(l.Location, l.OnHand, l.Reserved, l.Available))])
    {
        Product = product is null ? null : new(product.Sku, product.Name, product.Status),
    };
}

/// <summary>Stock levels in Redis. No decision is based on them.</summary>
internal static class StockCache
{
    /// <summary>Maximum age of stock in the cache.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The codes of the inactive locations. They are not part of a product's entry: a location that becomes inactive would change the entries of
    /// all products that are there.
    /// </summary>
    public const string InactiveLocations = "inventory:inactive-locations";

    public static string Key(Guid productId) => $"inventory:{productId}";

    /// <summary>Invalidates the cached levels of changed products. Call it after the commit.</summary>
    public static void Invalidate(this ReadCache cache, Stock stock) => cache.Invalidate([.. stock.Changed.Select(product => Key(product.ProductId))]);
}
