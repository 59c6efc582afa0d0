using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>The ledger is the truth: a product's levels are computed from it anew.</summary>
internal static class RebuildStock
{
    /// <param name="ProductId">The product.</param>
    /// <param name="DryRun">Whether nothing was written.</param>
    /// <param name="Changed">Whether a number is another than before.</param>
    /// <param name="Before">The level before.</param>
    /// <param name="After">The level as the ledger has it.</param>
    public sealed record Response(Guid ProductId, bool DryRun, bool Changed, StockLevel Before, StockLevel After);

    /// <summary>Compute a product's levels from its ledger</summary>
    /// <remarks>
    /// Under the product's locks, so nothing moves meanwhile. With <c>dryRun=true</c> it only says what would be. 404 without a record and a ledger; 409
    /// <c>ledger-inconsistent</c> when the ledger itself would break <c>0 ≤ reserved ≤ on hand</c>.
    /// If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Guid productId, HttpContext http, StockWriter writer, CancellationToken cancellationToken, bool dryRun = false)
    {
        Response? answer = null;
        var refusal = await writer.ChangeAsync<ProblemHttpResult>(StockWriter.OneProduct(productId), async (stock, writes) =>
        {
            var ledger = await SumAsync(writes.Connection!, productId, cancellationToken);
            if (stock.Product(productId) is not { IsNew: false } && ledger.Count == 0)
            {
                return Problems.NotFound("stock record", productId);
            }

            if (stock.Product(productId) is null)
            {
                // All its levels are lost, and still it can be rebuilt: the ledger has them.
                stock.Create(productId);
            }

            var product = stock.Product(productId)!;
            if (ETags.CheckIfMatch(http, product.Version, required: false) is { } precondition)
            {
                return precondition;
            }

            var before = StockLevel.Of(product, stock.Now);
            foreach (var location in ledger.Keys.Where(location => product.At(location) is null && ledger[location] != default).ToList())
            {
                stock.Create(productId, location);
            }

            foreach (var item in product.Items)
            {
                var (onHand, reserved) = ledger.GetValueOrDefault(item.Location);
                if (!item.TryRebuild(onHand, reserved))
                {
                    return Problems.Conflict(
                        "ledger-inconsistent", "The ledger does not add up.", "Its sums would break 0 <= reserved <= on hand. Nothing was changed.",
                        ("location", item.Location), ("onHand", onHand), ("reserved", reserved));
                }
            }

            answer = new(productId, dryRun, product.IsChanged, before, StockLevel.Of(product, stock.Now));
            // The refusal is the way out without writing; the answer is there already.
            return dryRun ? Problems.Conflict("dry-run", "Nothing was written.") : null;
        }, cancellationToken);
        if (answer is null)
        {
            return refusal!;
        }

        ETags.Set(http, dryRun ? answer.Before.Version : answer.After.Version);
        return TypedResults.Ok(answer);
    }

    private static async Task<Dictionary<string, (long OnHand, long Reserved)>> SumAsync(
        NpgsqlConnection connection, Guid productId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT location, sum(on_hand_delta)::bigint, sum(reserved_delta)::bigint FROM stock_movements WHERE product_id = $1 GROUP BY location", connection)
        {
            Parameters = { new() { Value = productId } },
        };
        var sums = new Dictionary<string, (long OnHand, long Reserved)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            sums[reader.GetString(0)] = (reader.GetInt64(1), reader.GetInt64(2));
        }

        return sums;
    }
}
