using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Data;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class GetProduct
{
    /// <summary>Read a product</summary>
    /// <remarks>From the cache where it is there; a change is seen at once, unless Redis was away when it was made (then within 5 minutes).</remarks>
    public static async Task<Results<Results<Ok<ProductResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, ProductCache cache, CancellationToken cancellationToken) =>
        await cache.GetAsync(id, cancellationToken) is { } product
            ? ETags.Ok(http, product, product.Version)
            : Problems.NotFound("product", id);
}
