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
    /// <c>productId</c>, <c>available</c>, <c>version</c> and <c>updatedAt</c>.
    /// </remarks>
    public static async Task<Results<Results<Ok<AvailableUnits>, StatusCodeHttpResult>, Results<Ok<StockLevel>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, Caller caller, IDbContextFactory<InventoryDb> databases, ReadCache cache, CancellationToken cancellationToken)
    {
        var level = await cache.GetOrLoadAsync(
            StockCache.Key(productId), StockCache.Time, InventoryJson.Default.StockLevel,
            async () =>
            {
                await using var database = await databases.CreateDbContextAsync();
                return await database.ReadLevelAsync(productId);
            },
            cancellationToken);
        if (level is null)
        {
            return Problems.NotFound("stock record", productId);
        }

        return caller.OnlyCustomer is null ? ETags.Ok(http, level, level.Version) : ETags.Ok(http, AvailableUnits.Of(level), level.Version);
    }
}
