using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Features;

/// <summary>A product's stock: sums over its locations, and each of them.</summary>
/// <param name="ProductId">The product. Inventory does not check that it exists.</param>
/// <param name="OnHand">Units in the warehouses.</param>
/// <param name="Reserved">Units promised to orders and holds; never more than <paramref name="OnHand"/>.</param>
/// <param name="Available"><paramref name="OnHand"/> less <paramref name="Reserved"/>.</param>
/// <param name="LowStockThreshold">At or below this, available counts as low; 0 means never.</param>
/// <param name="Version">Grows with every change at any location; also the ETag.</param>
/// <param name="UpdatedAt">Time of the last change, UTC.</param>
/// <param name="Locations">Where it is, in the order of the locations' codes.</param>
public sealed record StockLevel(
    Guid ProductId, long OnHand, long Reserved, long Available, long LowStockThreshold, long Version, DateTimeOffset UpdatedAt,
    IReadOnlyList<LocationLevel> Locations)
{
    /// <summary>Stock may be this old in the cache, and no older; nothing is decided on it.</summary>
    internal static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(30);

    internal static string CacheKey(Guid productId) => $"inventory:{productId}";

    internal static StockLevel Of(ProductStock product, DateTimeOffset now) => new(
        product.ProductId, product.OnHand, product.Reserved, product.Available, product.LowStockThreshold, product.Version, product.Stamp(now),
        [.. product.Items.Select(item => new LocationLevel(item.Location, item.OnHand, item.Reserved, item.Available))]);
}

/// <summary>A product's stock at one location.</summary>
/// <param name="Location">The location's code.</param>
/// <param name="OnHand">Units there.</param>
/// <param name="Reserved">Units there that are promised to orders and holds.</param>
/// <param name="Available"><paramref name="OnHand"/> less <paramref name="Reserved"/>.</param>
public sealed record LocationLevel(string Location, long OnHand, long Reserved, long Available);
