using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// A stocktake: the shelf was counted. It holds only against the number that the counter saw, and does not mind reservations, which
/// change what is promised and not what is there.
/// </summary>
internal static class TakeStock
{
    /// <param name="ExpectedOnHand">What the system said when counting began.</param>
    /// <param name="OnHand">What was counted.</param>
    /// <param name="Reason">Why, for the ledger.</param>
    /// <param name="Reference">Staff's own reference, such as the month.</param>
    /// <param name="Location">Which shelf; left out: <c>default</c>.</param>
    [Example("""{"expectedOnHand": 39, "onHand": 37, "reason": "count", "reference": "2026-11"}""")]
    public sealed record Request(
        long ExpectedOnHand, long OnHand, [property: MaxLength(200)] string Reason, [property: MaxLength(200)] string? Reference = null, [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <summary>Record a count of the shelf</summary>
    /// <remarks>
    /// 201 with the level after it; 409 <c>unexpected-stock</c> with the current number when it is not as expected; 422 <c>unknown-location</c>.
    /// If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, InventoryDb database, StockWriter writer, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.Require(request.ExpectedOnHand >= 0, "$.expectedOnHand", "0 or more is required.");
        errors.Require(request.OnHand is >= 0 and <= StockLimits.MaxUnits, "$.onHand", $"0 to {StockLimits.MaxUnits} is allowed.");
        errors.RequireText(request.Reason, 200, "$.reason");
        errors.AllowKey(request.Reference, 200, "$.reference");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        return await StockChange.RunAsync("stocktakes", productId, request, InventoryJson.Default.TakeStockRequest, http, database, writer, (stock, product) =>
        {
            if (StockLimits.CheckLocation(stock, request.Location) is { } unknown)
            {
                return unknown;
            }

            var item = product.At(request.Location) ?? stock.Create(productId, request.Location);

            if (item.OnHand != request.ExpectedOnHand)
            {
                return Problems.Conflict("unexpected-stock", "The stock is not as expected.", "It changed after counting began; count again.", ("onHand", item.OnHand));
            }

            if (product.OnHand - item.OnHand + request.OnHand > StockLimits.MaxUnits)
            {
                return Problems.MalformedRequest("$.onHand", $"There would be more than {StockLimits.MaxUnits} units.");
            }

            var delta = request.OnHand - item.OnHand;
            if (!item.TrySetOnHand(request.OnHand))
            {
                return StockLimits.BelowReserved(item);
            }

            stock.Record(item, MovementKind.Counted, delta, 0, reason: request.Reason, reference: request.Reference);
            return null;
        }, cancellationToken);
    }
}
