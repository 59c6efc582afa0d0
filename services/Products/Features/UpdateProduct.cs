using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class UpdateProduct
{
    /// <summary>The product's new details. Its status is unchanged.</summary>
    /// <param name="Sku">
    /// Stock keeping unit: 1 to 64 characters. No other product has it, or had it when it was deleted; a former SKU becomes free.
    /// </param>
    /// <param name="Name">Display name: 1 to 200 characters.</param>
    /// <param name="Price">Price of one unit: not negative, a multiple of its currency's smallest unit (EUR two decimal places, JPY none).</param>
    /// <param name="Description">Free text of up to 4,000 characters; none when left out.</param>
    /// <param name="Category">A name to filter by, of up to 100 characters; none when left out.</param>
    /// <param name="Attributes">Up to 50 names (of 64 characters) and values (of 256), such as <c>"colour": "red"</c>; none when left out.</param>
    /// <param name="VariantOf">The product that this one is a variant of; it must exist and not be a variant itself; none when left out.</param>
    [Example("""{"sku": "TEA-001", "name": "Chai", "description": "10 boxes x 20 bags", "category": "beverages", "price": {"amount": 19.50, "currency": "EUR"}}""")]
    public sealed record Request(
        [property: MaxLength(64)] string Sku, [property: MaxLength(200)] string Name, Money Price, [property: MaxLength(4000)] string? Description = null, [property: MaxLength(100)] string? Category = null,
        IReadOnlyDictionary<string, string>? Attributes = null, Guid? VariantOf = null);

    /// <summary>Replace a product's details</summary>
    /// <remarks>
    /// Orders placed earlier keep the name and price that they had. A replacement that changes nothing keeps the version.
    /// 422 <c>invalid-variant</c>. Publishes <c>product.updated</c>.
    /// </remarks>
    public static async Task<Results<Ok<ProductResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, ProductsDb db, ProductCache cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var details = new ProductDetails(
            request.Sku, request.Name, request.Description, request.Category, request.Price, ProductAttributes.Of(request.Attributes), request.VariantOf);
        if (ProductRules.Check(details) is { } malformed)
        {
            return malformed;
        }

        var product = await db.Products.SingleOrDefaultAsync(p => p.Id == id, cancellationToken);
        if (product is null)
        {
            return Problems.NotFound("product", id);
        }

        if (ETags.CheckIfMatch(http, product.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (await db.ChangeAsync(product, details, product.Status, cache, time.GetStorableNow(), cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, product.Version);
        return TypedResults.Ok(ProductResponse.Of(product));
    }
}
