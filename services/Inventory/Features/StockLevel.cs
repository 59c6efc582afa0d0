using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Features;

/// <summary>A product's stock.</summary>
/// <param name="ProductId">The product. Inventory does not check that it exists.</param>
/// <param name="OnHand">Units in the warehouse.</param>
/// <param name="Reserved">Units promised to orders; never more than <paramref name="OnHand"/>.</param>
/// <param name="Available"><paramref name="OnHand"/> less <paramref name="Reserved"/>: what can be sold.</param>
/// <param name="LowStockThreshold">At or below this, available counts as low; 0 means never.</param>
/// <param name="Version">Grows with every change; also the ETag.</param>
/// <param name="UpdatedAt">Time of the last change, UTC.</param>
public sealed record StockLevel(
    Guid ProductId, long OnHand, long Reserved, long Available, long LowStockThreshold, long Version, DateTimeOffset UpdatedAt)
{
    /// <summary>Stock may be this old in the cache, and no older; nothing is decided on it.</summary>
    internal static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(30);

    internal static string CacheKey(Guid productId) => $"inventory:{productId}";

    internal static StockLevel Of(StockItem item, DateTimeOffset now) =>
        new(item.ProductId, item.OnHand, item.Reserved, item.Available, item.LowStockThreshold, item.Version, now);
}
