using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Records a stocktake. It applies only while the quantity on hand is the one that the counter saw in the system. Reservations in the meantime do
/// not matter, because they change what is promised, not what is on hand.
/// </summary>
internal static class TakeStock
{
    /// <param name="ExpectedOnHand">The quantity in the system when counting began.</param>
    /// <param name="OnHand">What was counted.</param>
    /// <param name="Reason">Why, for the ledger.</param>
    /// <param name="Reference">Staff's own reference, such as the month.</param>
    /// <param name="Location">The location's code; <c>default</c> when left out.</param>
    [Example("""{"expectedOnHand": 39, "onHand": 37, "reason": "count", "reference": "2026-11"}""")]
    public sealed record Request(
        long ExpectedOnHand, long OnHand, [property: MaxLength(200)] string Reason, [property: MaxLength(200)] string? Reference = null, [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <summary>Record a stocktake</summary>
    /// <remarks>
    /// 201 with the resulting level; 409 <c>unexpected-stock</c> with the current quantity when it is not the expected one; 422
    /// <c>unknown-location</c>, and <c>unknown-product</c> for a count that would add units of a deleted product. If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.Require(request.ExpectedOnHand >= 0, "$.expectedOnHand", "0 or more is required.");
        StockProblems.CheckUnits(errors, request.OnHand, "$.onHand");
        errors.RequireText(request.Reason, 200, "$.reason");
        errors.AllowKey(request.Reference, 200, "$.reference");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        return await change.OfRecordAsync("stocktakes", productId, request, InventoryJson.Default.TakeStockRequest, http, caller, (stock, _) =>
        {
            if (StockProblems.CheckLocation(stock, request.Location) is { } unknown)
            {
                return unknown;
            }

            var onHand = stock.Item(productId, request.Location)?.OnHand ?? 0;
            if (onHand != request.ExpectedOnHand)
            {
                return Problems.Conflict("unexpected-stock", "The stock is not as expected.", "It changed after counting began; count again.", ("onHand", onHand));
            }

            if (request.OnHand > onHand && StockProblems.CheckDeleted(stock, [(productId, "productId")]) is { } deleted)
            {
                return deleted;
            }

            return stock.SetOnHand(productId, request.Location, request.OnHand, MovementKind.Counted, new(Reason: request.Reason, Reference: request.Reference)) is { } refusal
                ? StockProblems.Of(refusal, "$.onHand")
                : null;
        }, cancellationToken);
    }
}
