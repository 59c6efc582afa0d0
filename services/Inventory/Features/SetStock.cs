using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Creates a product's stock record, or sets its quantities.</summary>
internal static class SetStock
{
    /// <param name="OnHand">Units in the warehouse, 0 or more.</param>
    /// <param name="LowStockThreshold">At or below this, available counts as low. When left out: unchanged, or 0 for a new record.</param>
    /// <param name="Location">Where the units are; <c>default</c> when left out. The threshold applies to the product at all locations.</param>
    [Example("""{"onHand": 39, "lowStockThreshold": 10}""")]
    public sealed record Request(long OnHand, long? LowStockThreshold = null, [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <summary>Create or set a product's stock</summary>
    /// <remarks>
    /// 201 when the record is new (If-Match is not needed), 200 when an existing record was set, which requires If-Match (428, 412). 409 when
    /// <c>onHand</c> is below what is reserved. 422 <c>unknown-location</c>, and <c>unknown-product</c> for a deleted product.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, Ok<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        StockProblems.CheckUnits(errors, request.OnHand, "$.onHand");
        StockProblems.CheckUnits(errors, request.LowStockThreshold, "$.lowStockThreshold");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var result = await change.RunAsync<(bool IsNew, StockLevel Level)>(StockScope.ToChange(productId) with { FindStatus = true }, stock =>
        {
            if ((StockProblems.CheckDeleted(stock, [(productId, "productId")]) ?? StockProblems.CheckLocation(stock, request.Location)) is { } unknown)
            {
                return unknown;
            }

            var isNew = stock.Product(productId) is not { IsNew: false };
            if (ETags.CheckIfMatch(http, isNew ? null : stock.Product(productId)!.Version) is { } precondition)
            {
                return precondition;
            }

            if (stock.SetOnHand(productId, request.Location, request.OnHand, MovementKind.Set, new()) is { } refusal)
            {
                return StockProblems.Of(refusal, "$.onHand");
            }

            var product = stock.Product(productId)!;
            product.SetLowStockThreshold(request.LowStockThreshold ?? product.LowStockThreshold);
            return (isNew, StockLevel.Of(product, stock.Now));
        }, caller, cancellationToken);
        if (result.Refusal is { } problem)
        {
            return problem;
        }

        var (isNew, level) = result.Answer;
        ETags.Set(http, level.Version);
        return isNew ? TypedResults.Created($"/api/inventory/{productId}", level) : TypedResults.Ok(level);
    }
}
