using System.Text.Json.Serialization;

namespace OrderInventory.Inventory.Domain;

/// <summary>A product's stock: sums over its locations, and each of them.</summary>
/// <param name="ProductId">The product. Inventory does not check that it exists.</param>
/// <param name="OnHand">Units in the warehouses.</param>
/// <param name="Reserved">Units promised to orders and holds; never more than <paramref name="OnHand"/>.</param>
/// <param name="Available"><paramref name="OnHand"/> minus <paramref name="Reserved"/>.</param>
/// <param name="LowStockThreshold">At or below this, available counts as low; 0 means never.</param>
/// <param name="Version">Grows with every change at any location; also the ETag.</param>
/// <param name="UpdatedAt">Time of the last change, UTC.</param>
/// <param name="Locations">The stock at each location, in the order of the locations' codes.</param>
public sealed record StockLevel(
    Guid ProductId, long OnHand, long Reserved, long Available, long LowStockThreshold, long Version, DateTimeOffset UpdatedAt,
    IReadOnlyList<LocationLevel> Locations)
{
    /// <summary>
    /// The product's catalogue data, in lists only, and only when it is known here. A product's name can change without a new version of the
    /// stock, so the single level, which has an ETag, leaves it out.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StockedProduct? Product { get; init; }

    internal static StockLevel Of(ProductStock product, DateTimeOffset now) => new(
        product.ProductId, product.OnHand, product.Reserved, product.Available, product.LowStockThreshold, product.Version, product.Stamp(now),
        [.. product.Items.Select(item => new LocationLevel(item.Location, item.OnHand, item.Reserved, item.Available))]);
}

/// <summary>What a customer sees of a product's stock.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Available">Units that can be ordered: those available at active locations.</param>
/// <param name="Version">
/// Grows with every change of the stock. It is also the ETag; while units are at inactive locations, the ETag has <paramref name="Available"/> too,
/// because a location becomes inactive or active without a new version of the stock.
/// </param>
/// <param name="UpdatedAt">Time of the last change, UTC.</param>
public sealed record AvailableUnits(Guid ProductId, long Available, long Version, DateTimeOffset UpdatedAt)
{
    internal static AvailableUnits Of(StockLevel level, string[] inactiveLocations) => new(
        level.ProductId, level.Locations.Where(at => !inactiveLocations.Contains(at.Location)).Sum(at => at.Available), level.Version, level.UpdatedAt);
}

/// <summary>A product's stock at one location.</summary>
/// <param name="Location">The location's code.</param>
/// <param name="OnHand">Units there.</param>
/// <param name="Reserved">Units there that are promised to orders and holds.</param>
/// <param name="Available"><paramref name="OnHand"/> minus <paramref name="Reserved"/>.</param>
public sealed record LocationLevel(string Location, long OnHand, long Reserved, long Available);

/// <summary>A product's catalogue data.</summary>
/// <param name="Sku">Stock keeping unit.</param>
/// <param name="Name">Display name.</param>
/// <param name="Status"><c>active</c>, <c>discontinued</c> or <c>deleted</c>.</param>
public sealed record StockedProduct(string Sku, string Name, string Status);
