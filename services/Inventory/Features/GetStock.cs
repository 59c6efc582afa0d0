using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Reads a product's stock, from the cache when it is there.</summary>
internal static class GetStock
{
    /// <summary>Read a product's stock</summary>
    /// <remarks>
    /// 200 with the level, 304 when If-None-Match has its version, 404 when there is no record of the product. A customer's response has only
    /// <c>productId</c>, <c>available</c>, <c>version</c> and <c>updatedAt</c>; <c>available</c> counts active locations only, because nothing can be
    /// ordered from the others.
    /// </remarks>
    public static async Task<Results<Results<Ok<AvailableUnits>, StatusCodeHttpResult>, Results<Ok<StockLevel>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, Caller caller, IDbContextFactory<InventoryDb> databases, ReadCache cache, CancellationToken cancellationToken)
    {
        var level = await ReadAsync(StockCache.Key(productId), InventoryJson.Default.StockLevel, database => database.ReadLevelAsync(productId));
        if (level is null)
        {
            return Problems.NotFound("stock record", productId);
        }

        if (caller.OnlyCustomer is null)
        {
            return ETags.Ok(http, level, level.Version);
        }

        var inactive = await ReadAsync(StockCache.InactiveLocations, InventoryJson.Default.Codes, async database => await database.ReadInactiveLocationsAsync());
        var units = AvailableUnits.Of(level, inactive!);
        return ETags.Ok(http, units, units.Version, units.Available == level.Available ? null : units.Available.ToString(CultureInfo.InvariantCulture));

        Task<T?> ReadAsync<T>(string key, JsonTypeInfo<T> json, Func<InventoryDb, Task<T?>> read)
            where T : class => cache.GetOrLoadAsync(
                key, StockCache.Time, json,
                async () =>
                {
                    await using var database = await databases.CreateDbContextAsync();
                    return await read(database);
                },
                cancellationToken);
    }
}
