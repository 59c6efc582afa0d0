using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Data;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class GetProduct
{
    /// <summary>Read a product</summary>
    /// <remarks>
    /// From the cache if present; a change is visible immediately, or within 5 minutes if the cache could not be invalidated: Redis was unavailable,
    /// or the service was killed after its commit.
    /// </remarks>
    public static async Task<Results<Results<Ok<ProductResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, ProductCache cache, CancellationToken cancellationToken) =>
        await cache.GetAsync(id, cancellationToken) is { } product
            ? ETags.Ok(http, product, product.Version)
            : Problems.NotFound("product", id);
}
