using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>A product's stock, from the cache where it is there.</summary>
internal static class GetStock
{
    /// <summary>Read a product's stock</summary>
    /// <remarks>200 with the level, 304 when If-None-Match has its version, 404 when there is no record of the product.</remarks>
    public static async Task<Results<Results<Ok<StockLevel>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, IDbContextFactory<InventoryDb> databases, ReadCache cache, CancellationToken cancellationToken)
    {
        var level = await cache.GetOrLoadAsync(
            StockCache.Key(productId), StockCache.Time, InventoryJson.Default.StockLevel,
            async () =>
            {
                await using var database = await databases.CreateDbContextAsync();
                return await database.ReadLevelAsync(productId);
            },
            cancellationToken);
        return level is null ? Problems.NotFound("stock record", productId) : ETags.Ok(http, level, level.Version);
    }
}
