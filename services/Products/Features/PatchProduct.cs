using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class PatchProduct
{
    /// <summary>What can be patched; what is left out is unchanged.</summary>
    /// <param name="Sku">
    /// Stock keeping unit: 1 to 64 characters. No other product has it, or had it when it was deleted; a former SKU becomes free.
    /// </param>
    /// <param name="Name">Display name: 1 to 200 characters.</param>
    /// <param name="Price">Price of one unit; its amount alone may be given.</param>
    /// <param name="Description">Free text of up to 4,000 characters; null removes it.</param>
    /// <param name="Category">A name to filter by, of up to 100 characters; null removes it.</param>
    /// <param name="Attributes">Names and values to set; a null value removes that attribute, null instead of the object removes all.</param>
    /// <param name="VariantOf">The product that this one is a variant of; null when it is no variant.</param>
    /// <param name="Status"><c>active</c>, or <c>discontinued</c>: it can no longer be ordered.</param>
    public sealed record Document(
        [property: MaxLength(64)] string Sku, [property: MaxLength(200)] string Name, Money Price, ProductStatus Status, [property: MaxLength(4000)] string? Description = null, [property: MaxLength(100)] string? Category = null,
        IReadOnlyDictionary<string, string>? Attributes = null, Guid? VariantOf = null);

    /// <summary>Change parts of a product, or its status</summary>
    /// <remarks>JSON Merge Patch (RFC 7396). A patch that changes nothing keeps the version. 422 <c>invalid-variant</c>. Publishes <c>product.updated</c>.</remarks>
    public static async Task<Results<Ok<ProductResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, MergePatch<Document> patch, HttpContext http, ProductsDb db, ProductCache cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var product = await db.Products.SingleOrDefaultAsync(p => p.Id == id, cancellationToken);
        if (product is null)
        {
            return Problems.NotFound("product", id);
        }

        if (ETags.CheckIfMatch(http, product.Version) is { } mismatch)
        {
            return mismatch;
        }

        var patched = patch.ApplyTo(new(
            product.Sku, product.Name, product.Price, product.Status, product.Description, product.Category, product.Attributes.Values, product.VariantOf));
        var details = new ProductDetails(
            patched.Sku, patched.Name, patched.Description, patched.Category, patched.Price, ProductAttributes.Of(patched.Attributes), patched.VariantOf);
        if (ProductRules.Check(details) is { } malformed)
        {
            return malformed;
        }

        if (patched.Status == ProductStatus.Deleted)
        {
            return Problems.MalformedRequest("$.status", "active or discontinued is required; to delete, use DELETE.");
        }

        if (await db.ChangeAsync(product, details, patched.Status, cache, time.GetStorableNow(), cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, product.Version);
        return TypedResults.Ok(ProductResponse.Of(product));
    }
}
