using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Products.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Http;

/// <summary>
/// Variants have one level. This rule concerns two rows: a request that may break it first locks both, in id order, so that two concurrent
/// requests cannot decide on what the other is changing.
/// </summary>
internal static class ProductVariants
{
    /// <summary>
    /// Locks the product, if it already exists, and the product that it is to be a variant of, until the end of the transaction. The problem is
    /// 422 <c>invalid-variant</c>.
    /// </summary>
    public static async Task<ProblemHttpResult?> LockVariantAsync(this ProductsDb db, Guid id, Guid variantOf, CancellationToken cancellationToken)
    {
        if (id == variantOf)
        {
            return ProductRules.InvalidVariant("A product cannot be a variant of itself.");
        }

        await db.LockAsync([id, variantOf], cancellationToken);
        var parent = await db.Products.AsNoTracking().Where(p => p.Id == variantOf).Select(p => new { p.VariantOf }).SingleOrDefaultAsync(cancellationToken);
        if (parent is null)
        {
            return ProductRules.InvalidVariant("No product has this id.");
        }

        if (parent.VariantOf is not null)
        {
            return ProductRules.InvalidVariant("The given product is a variant itself, and a variant cannot have variants.");
        }

        return await db.HasVariantsAsync(id, cancellationToken)
            ? ProductRules.InvalidVariant("A product that has variants cannot be a variant itself.")
            : null;
    }

    /// <summary>Locks a product that is to be deleted. The problem is 409 while it has variants.</summary>
    public static async Task<ProblemHttpResult?> LockWithoutVariantsAsync(this ProductsDb db, Guid id, CancellationToken cancellationToken)
    {
        await db.LockAsync([id], cancellationToken);
        return await db.HasVariantsAsync(id, cancellationToken)
            ? Problems.Conflict("product-has-variants", "The product has variants.",
                "Delete them first, make them variants of another product, or remove their variantOf.")
            : null;
    }

    /// <summary>What is read of these products after this cannot change until the transaction ends.</summary>
    private static Task<int> LockAsync(this ProductsDb db, Guid[] ids, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync($"SELECT FROM products WHERE id = ANY({ids}) ORDER BY id FOR UPDATE", cancellationToken);

    private static Task<bool> HasVariantsAsync(this ProductsDb db, Guid id, CancellationToken cancellationToken) =>
        db.Products.AnyAsync(p => p.VariantOf == id, cancellationToken);
}
