using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Products.Features;

internal static class CreateProduct
{
    /// <summary>A product to create.</summary>
    /// <param name="Sku">Stock keeping unit: 1 to 64 characters. No other product has it, or had it when it was deleted.</param>
    /// <param name="Name">Display name: 1 to 200 characters.</param>
    /// <param name="Price">Price of one unit: not negative, a multiple of its currency's smallest unit (EUR two decimal places, JPY none).</param>
    /// <param name="Description">Free text of up to 4,000 characters.</param>
    /// <param name="Category">A name to filter by, of up to 100 characters.</param>
    /// <param name="Attributes">Up to 50 names (of 64 characters) and values (of 256), such as <c>"colour": "red"</c>.</param>
    /// <param name="VariantOf">The product that this one is a variant of; it must exist and not be a variant itself.</param>
    [Example("""{"sku": "TEA-001", "name": "Chai", "description": "10 boxes x 20 bags", "category": "beverages", "price": {"amount": 18.00, "currency": "EUR"}, "attributes": {"origin": "Assam"}}""")]
    public sealed record Request(
        [property: MaxLength(64)] string Sku, [property: MaxLength(200)] string Name, Money Price, [property: MaxLength(4000)] string? Description = null, [property: MaxLength(100)] string? Category = null,
        IReadOnlyDictionary<string, string>? Attributes = null, Guid? VariantOf = null);

    /// <summary>Create a product</summary>
    /// <remarks>
    /// 409 <c>sku-taken</c> when another product has the SKU, or had it when it was deleted; 422 <c>invalid-variant</c>. Publishes
    /// <c>product.updated</c>.
    /// </remarks>
    public static async Task<Results<Created<ProductResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, ProductsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var attributes = ProductAttributes.Of(request.Attributes);
        var details = new ProductDetails(
            request.Sku, request.Name, request.Description, request.Category, request.Price, attributes, request.VariantOf);
        if (ProductRules.Check(details) is { } malformed)
        {
            return malformed;
        }

        var product = Product.Create(details, time.GetStorableNow());
        await using var create = await IdempotentCreate.BeginAsync(
            http, db, caller.Sub, request with { Attributes = attributes.Values }, ProductsJson.Default.CreateRequest, product.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is { } existing)
        {
            var before = await db.Products.AsNoTracking().Where(p => p.Id == existing).Select(ProductResponse.Projection).SingleOrDefaultAsync(cancellationToken);
            return before is null ? Problems.NotFound("product", existing) : Created(http, before);
        }

        if (request.VariantOf is { } parent && await db.LockVariantAsync(product.Id, parent, cancellationToken) is { } invalid)
        {
            return invalid;
        }

        db.Add(product);
        db.Add(ProductEvents.Updated(product));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.IsUniqueViolation(ProductsDb.SkuIndex))
        {
            return ProductRules.SkuTaken(product.Sku);
        }

        await create.CommitAsync(cancellationToken);
        return Created(http, ProductResponse.Of(product));
    }

    private static Created<ProductResponse> Created(HttpContext http, ProductResponse product)
    {
        ETags.Set(http, product.Version);
        return TypedResults.Created($"/api/products/{product.Id}", product);
    }
}
