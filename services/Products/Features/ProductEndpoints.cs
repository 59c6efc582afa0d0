using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Products.Features;

internal static class ProductEndpoints
{
    /// <summary>The HTTP API of the service.</summary>
    public static void MapProducts(this IEndpointRouteBuilder routes)
    {
        var products = routes.MapGroup("/api/products").WithTags("Products");

        products.MapPost("/", CreateProduct.HandleAsync).For(Policies.ManageProducts).WithIdempotencyKey().WithProblems(404, 409, 503);
        products.MapGet("/", ListProducts.HandleAsync).For(Policies.ReadProducts).WithQueryPrefix(ProductFilter.AttributePrefix).WithProblems(503);
        products.MapPost("/import", ImportProducts.HandleAsync).For(Policies.ManageProducts).WithBulkImport();
        products.MapGet("/export", ExportProducts.HandleAsync).For(Policies.ManageProducts)
            .WithQueryPrefix(ProductFilter.AttributePrefix)
            .Produces<string>(StatusCodes.Status200OK, MediaTypes.Ndjson, MediaTypes.Csv)
            .WithProblems(406, 503);
        products.MapGet("/{id:guid}", GetProduct.HandleAsync).For(Policies.ReadProducts).WithETag().WithProblems(404, 503);
        products.MapPut("/{id:guid}", UpdateProduct.HandleAsync).For(Policies.ManageProducts).WithIfMatch().WithProblems(404, 409, 422, 503);
        products.MapPatch("/{id:guid}", PatchProduct.HandleAsync).For(Policies.ManageProducts).WithIfMatch().WithProblems(404, 409, 422, 503);
        products.MapDelete("/{id:guid}", DeleteProduct.HandleAsync).For(Policies.ManageProducts).WithIfMatch().WithProblems(404, 409, 503);
    }
}
