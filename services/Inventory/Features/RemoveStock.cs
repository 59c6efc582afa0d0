using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Removes a product's stock record: the product was deleted, or the record was a mistake.</summary>
internal static class RemoveStock
{
    /// <summary>Remove a product's stock record</summary>
    /// <remarks>
    /// 204; the units on hand are written off in the ledger, which is kept, and the record is 404 from then on. A new record continues from its
    /// version. 409 <c>stock-below-reserved</c> while orders or holds have units. 404 without a record.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var result = await change.RunAsync<NoContent>(StockScope.ToChange(productId), stock =>
        {
            if (stock.Product(productId) is not { IsNew: false } product)
            {
                return Problems.NotFound("stock record", productId);
            }

            if (ETags.CheckIfMatch(http, product.Version) is { } precondition)
            {
                return precondition;
            }

            foreach (var item in product.Items)
            {
                var onHand = item.OnHand;
                if (!item.TrySetOnHand(0))
                {
                    return StockProblems.Of(new OnHandRefusal(false, item.Location, onHand, item.Reserved), "$");
                }

                if (onHand > 0)
                {
                    stock.Record(item, MovementKind.Set, -onHand, 0, new(Reason: "removed"));
                }
            }

            product.Remove();
            return TypedResults.NoContent();
        }, caller, cancellationToken);
        return result.Refusal is { } refusal ? refusal : result.Answer!;
    }
}
