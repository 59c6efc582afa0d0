using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Makes a product's stock record, or sets its numbers.</summary>
internal static class SetStock
{
    /// <param name="OnHand">Units in the warehouse, 0 or more.</param>
    /// <param name="LowStockThreshold">At or below this, available counts as low. Left out: as it was, or 0.</param>
    /// <param name="Location">Where the units are; left out: <c>default</c>. The threshold is the product's, wherever it is.</param>
    [Example("""{"onHand": 39, "lowStockThreshold": 10}""")]
    public sealed record Request(long OnHand, long? LowStockThreshold = null, [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <summary>Make or set a product's stock</summary>
    /// <remarks>
    /// 201 when the record is new (If-Match is not needed), 200 when it was set; then If-Match is required (428, 412). 409 when
    /// <c>onHand</c> is below what is reserved. 422 <c>unknown-location</c>, and <c>unknown-product</c> for one
    /// that was deleted.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, Ok<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, StockWriter writer, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        StockLimits.CheckUnits(request.OnHand, request.LowStockThreshold, errors);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var isNew = false;
        StockLevel? answer = null;
        var refusal = await writer.ChangeAsync(StockWriter.OneProduct(productId), async (stock, writes) =>
        {
            if ((await DeletedProducts.FindAsync(writes.Connection!, [productId], cancellationToken)).Count > 0)
            {
                return DeletedProducts.Refuse(["productId"]);
            }

            if (StockLimits.CheckLocation(stock, request.Location) is { } unknown)
            {
                return unknown;
            }

            var product = stock.Product(productId);
            if (product is { IsNew: false } && ETags.CheckIfMatch(http, product.Version) is { } precondition)
            {
                return precondition;
            }

            isNew = product is not { IsNew: false };
            var item = product?.At(request.Location) ?? stock.Create(productId, request.Location);
            product = stock.Product(productId)!;
            if (product.OnHand - item.OnHand + request.OnHand > StockLimits.MaxUnits)
            {
                return Problems.MalformedRequest("$.onHand", $"There would be more than {StockLimits.MaxUnits} units.");
            }

            var delta = request.OnHand - item.OnHand;
            if (!item.TrySetOnHand(request.OnHand))
            {
                return StockLimits.BelowReserved(item);
            }

            if (request.LowStockThreshold is { } threshold)
            {
                product.SetLowStockThreshold(threshold);
            }

            stock.Record(item, MovementKind.Set, delta, 0);
            answer = StockLevel.Of(product, stock.Now);
            return null;
        }, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        ETags.Set(http, answer!.Version);
        return isNew ? TypedResults.Created($"/api/inventory/{productId}", answer) : TypedResults.Ok(answer);
    }
}
