using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Recomputes a product's levels and closing balances from the ledger, which is authoritative.</summary>
internal static class RebuildStock
{
    /// <param name="ProductId">The product.</param>
    /// <param name="DryRun">Whether nothing was written.</param>
    /// <param name="Changed">Whether a quantity changed.</param>
    /// <param name="Before">The level before.</param>
    /// <param name="After">The level according to the ledger.</param>
    public sealed record Response(Guid ProductId, bool DryRun, bool Changed, StockLevel Before, StockLevel After);

    /// <summary>Compute a product's levels from its ledger</summary>
    /// <remarks>
    /// Sums the whole ledger and also rebuilds the product's closing balances, whether they were right or not. Runs under the product's locks, so
    /// nothing moves meanwhile. With <c>dryRun=true</c> it only reports the result. 404 when there is neither a record nor a ledger; 409
    /// <c>ledger-inconsistent</c> when the ledger itself would break <c>0 ≤ reserved ≤ on hand</c>. If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, Caller caller, StockChange change, InventoryOptions options, CancellationToken cancellationToken, bool dryRun = false)
    {
        var result = await change.RunAsync<Response>(StockScope.ToChange(productId) with { SumLedger = true }, stock =>
        {
            if (stock.Product(productId) is not { IsNew: false } && stock.Ledger.Count == 0)
            {
                return Problems.NotFound("stock record", productId);
            }

            if (stock.Product(productId) is null)
            {
                // All its levels are lost, but it can be rebuilt: the ledger has them.
                stock.ItemOrNew(productId);
            }

            var product = stock.Product(productId)!;
            if (ETags.CheckIfMatch(http, product.Version, required: false) is { } precondition)
            {
                return precondition;
            }

            var before = StockLevel.Of(product, stock.Now);
            foreach (var location in stock.Ledger.Keys.Where(location => stock.Ledger[location] != default))
            {
                stock.ItemOrNew(productId, location);
            }

            foreach (var item in product.Items)
            {
                var (onHand, reserved) = stock.Ledger.GetValueOrDefault(item.Location);
                if (!item.TryRebuild(onHand, reserved))
                {
                    return Problems.Conflict(
                        "ledger-inconsistent", "The ledger is inconsistent.", "Its sums would violate 0 <= reserved <= on hand. Nothing was changed.",
                        ("location", item.Location), ("onHand", onHand), ("reserved", reserved));
                }
            }

            // The closing balances may be wrong even when the levels are right.
            stock.BalancesToRebuild = (productId, stock.Now - options.ClosingAge);
            var answer = new Response(productId, dryRun, product.IsChanged, before, StockLevel.Of(product, stock.Now));
            return dryRun ? Change<Response>.Unwritten(answer) : answer;
        }, caller, cancellationToken);
        if (result.Answer is not { } answer)
        {
            return result.Refusal!;
        }

        ETags.Set(http, dryRun ? answer.Before.Version : answer.After.Version);
        return TypedResults.Ok(answer);
    }
}
