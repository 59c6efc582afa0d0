using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Products.Clients;
using OrderInventory.Products.Data;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class DeleteProduct
{
    /// <summary>Delete a product</summary>
    /// <remarks>
    /// Orders is queried during the request: 409 <c>product-in-open-orders</c> while an open order has the product (set its status to
    /// <c>discontinued</c> instead), 409 <c>product-has-variants</c> while it has variants, 503 when Orders does not answer. Its SKU stays taken.
    /// Publishes <c>product.updated</c>.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, ProductsDb db, ProductCache cache, OrdersClient orders, TimeProvider time, CancellationToken cancellationToken)
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

        // An order may be placed between this answer and the commit. It stays valid: it has copied the product's name and price.
        switch (await orders.HasOpenOrdersAsync(id, cancellationToken))
        {
            case null:
                return Problems.Unavailable(http, "Orders");
            case true:
                return Problems.Conflict("product-in-open-orders", "The product is in open orders.",
                    "Set its status to discontinued with PATCH instead: it can no longer be ordered, and the open orders are not affected.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.LockWithoutVariantsAsync(id, cancellationToken) is { } parent)
        {
            return parent;
        }

        product.Delete(time.GetStorableNow());
        return await db.SaveChangedAsync(product, cache, cancellationToken) is { } refused ? refused : TypedResults.NoContent();
    }
}
