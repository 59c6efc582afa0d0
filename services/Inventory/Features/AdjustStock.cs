using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Adds or removes units: a delivery, a breakage.</summary>
internal static class AdjustStock
{
    /// <param name="Delta">Units to add, or to remove when negative; not 0.</param>
    /// <param name="Reason">Why, for the ledger.</param>
    /// <param name="Reference">Staff's own reference, such as a return number.</param>
    /// <param name="Location">The location's code; <c>default</c> when left out.</param>
    [Example("""{"delta": -2, "reason": "damaged", "reference": "RMA-17"}""")]
    public sealed record Request(
        long Delta, [property: MaxLength(200)] string Reason, [property: MaxLength(200)] string? Reference = null, [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <summary>Add or remove units</summary>
    /// <remarks>
    /// 201 with the resulting level. 404 without a stock record, 409 when fewer units than are reserved would remain. If-Match is honoured when
    /// sent: 412 when the stock has changed. 422 <c>unknown-location</c>, and <c>unknown-product</c> for adding units of a deleted product; its
    /// existing units can be removed. Units may be added at a location where the product was not before.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        StockProblems.CheckDelta(errors, request.Delta, "$.delta");
        errors.RequireText(request.Reason, 200, "$.reason");
        errors.AllowKey(request.Reference, 200, "$.reference");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        return await change.OfRecordAsync("adjustments", productId, request, InventoryJson.Default.AdjustStockRequest, http, caller, (stock, _) =>
        {
            if (((request.Delta > 0 ? StockProblems.CheckDeleted(stock, [(productId, "productId")]) : null) ?? StockProblems.CheckLocation(stock, request.Location)) is { } unknown)
            {
                return unknown;
            }

            var onHand = (stock.Item(productId, request.Location)?.OnHand ?? 0) + request.Delta;
            return stock.SetOnHand(productId, request.Location, onHand, MovementKind.Adjusted, new(Reason: request.Reason, Reference: request.Reference)) is { } refusal
                ? StockProblems.Of(refusal, "$.delta")
                : null;
        }, cancellationToken);
    }
}
