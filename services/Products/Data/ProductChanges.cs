using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Features;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Data;

internal static class ProductChanges
{
    /// <summary>
    /// Saves a changed product with the event that tells of it, then makes the cache miss. The problem is what to answer when
    /// somebody else was faster: 412 for another change, 404 for a deletion, 409 for the SKU.
    /// </summary>
    public static async Task<ProblemHttpResult?> SaveChangedAsync(
        this ProductsDb db, Product product, ProductCache cache, CancellationToken cancellationToken)
    {
        db.Add(ProductEvents.Updated(product));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            var current = await db.Products.Where(p => p.Id == product.Id).Select(p => (long?)p.Version).SingleOrDefaultAsync(cancellationToken);
            return current is null ? Problems.NotFound("product", product.Id) : Problems.PreconditionFailed(current.Value);
        }
        catch (DbUpdateException exception) when (exception.IsUniqueViolation(ProductsDb.SkuIndex))
        {
            return ProductRules.SkuTaken(product.Sku);
        }

        cache.Invalidate(product.Id);
        return null;
    }
}
