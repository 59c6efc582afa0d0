using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Http;

internal static class ProductChanges
{
    /// <summary>Changes a product and saves it if anything changed. Returns the problem to answer, from saving or 422 for the variant.</summary>
    public static async Task<ProblemHttpResult?> ChangeAsync(
        this ProductsDb db, Product product, ProductDetails details, ProductStatus status, ProductCache cache, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (details.VariantOf is { } parent && parent != product.VariantOf
            && await db.LockVariantAsync(product.Id, parent, cancellationToken) is { } invalid)
        {
            return invalid;
        }

        return product.Change(details, status, now) ? await db.SaveChangedAsync(product, cache, cancellationToken) : null;
    }

    /// <summary>
    /// Saves a changed product with its event, commits the current transaction, then invalidates the cache entry. Returns the problem to answer
    /// when another request was faster: 412 for another change, 404 for a deletion, 409 for the SKU.
    /// </summary>
    public static async Task<ProblemHttpResult?> SaveChangedAsync(
        this ProductsDb db, Product product, ProductCache cache, CancellationToken cancellationToken)
    {
        db.Add(ProductEvents.Updated(product));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            await db.Database.CurrentTransaction!.CommitAsync(cancellationToken);
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
