using Microsoft.EntityFrameworkCore;
using OrderInventory.Products.Data;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Products.Http;

/// <summary>Product details in Redis, under <c>products:{id}</c>.</summary>
internal sealed class ProductCache(ReadCache cache, IDbContextFactory<ProductsDb> contexts)
{
    /// <summary>Limits the age of an answer when an invalidation is lost: Redis unavailable, or the process killed after its commit.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromMinutes(5);

    public Task<ProductResponse?> GetAsync(Guid id, CancellationToken cancellationToken) =>
        cache.GetOrLoadAsync(Key(id), TimeToLive, ProductsJson.Default.ProductResponse, () => LoadAsync(id), cancellationToken);

    /// <summary>Call it after the commit of every change.</summary>
    public void Invalidate(Guid id) => cache.Invalidate(Key(id));

    private static string Key(Guid id) => $"products:{id}";

    private async Task<ProductResponse?> LoadAsync(Guid id)
    {
        // Its own context: other requests may still wait for this load when the request that started it has ended.
        await using var db = await contexts.CreateDbContextAsync();
        return await db.Products.AsNoTracking().Where(p => p.Id == id).Select(ProductResponse.Projection).SingleOrDefaultAsync();
    }
}
