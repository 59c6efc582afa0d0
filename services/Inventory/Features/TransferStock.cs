using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Moves units from one location to another.</summary>
internal static class TransferStock
{
    /// <param name="From">The location that the units leave.</param>
    /// <param name="To">The location that the units go to.</param>
    /// <param name="Quantity">Units, 1 or more.</param>
    /// <param name="Reason">Why, for the ledger.</param>
    /// <param name="Reference">Staff's own reference, such as a delivery note.</param>
    [Example("""{"from": "default", "to": "berlin", "quantity": 5, "reason": "rebalancing"}""")]
    public sealed record Request(
        [property: MaxLength(50)] string From, [property: MaxLength(50)] string To, long Quantity, [property: MaxLength(200)] string Reason, [property: MaxLength(200)] string? Reference = null);

    /// <summary>Move units to another location</summary>
    /// <remarks>
    /// 201 with the resulting level, and two rows in the ledger. 404 without a stock record, 409 when <c>from</c> has fewer free units, 422
    /// <c>unknown-location</c>. If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.Require(request.Quantity is >= 1 and <= StockLimits.MaxUnits, "$.quantity", $"1 to {StockLimits.MaxUnits} is required.");
        errors.Require(request.From != request.To, "$.to", "A location other than from is required.");
        errors.RequireText(request.Reason, 200, "$.reason");
        errors.AllowKey(request.Reference, 200, "$.reference");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        return await change.OfRecordAsync("transfers", productId, request, InventoryJson.Default.TransferStockRequest, http, caller, (stock, _) =>
        {
            if ((StockProblems.CheckLocation(stock, request.From, "$.from") ?? StockProblems.CheckLocation(stock, request.To, "$.to")) is { } unknown)
            {
                return unknown;
            }

            var cause = new Cause(Reason: request.Reason, Reference: request.Reference);
            var onHand = (stock.Item(productId, request.From)?.OnHand ?? 0) - request.Quantity;
            if (stock.SetOnHand(productId, request.From, onHand, MovementKind.Transferred, cause) is { } refusal)
            {
                return StockProblems.Of(refusal, "$.quantity");
            }

            var to = stock.ItemOrNew(productId, request.To);
            to.Receive(request.Quantity);
            stock.Record(to, MovementKind.Transferred, request.Quantity, 0, cause);
            return null;
        }, cancellationToken);
    }
}
