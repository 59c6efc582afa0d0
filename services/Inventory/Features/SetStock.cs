using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Makes a product's stock record, or sets its numbers.</summary>
internal static class SetStock
{
    /// <param name="OnHand">Units in the warehouse, 0 or more.</param>
    /// <param name="LowStockThreshold">At or below this, available counts as low. Left out: as it was, or 0.</param>
    public sealed record Request(long OnHand, long? LowStockThreshold = null);

    /// <summary>Make or set a product's stock</summary>
    /// <remarks>
    /// 201 when the record is new (If-Match is not needed), 200 when it was set; then If-Match is required (428, 412). 409 when
    /// <c>onHand</c> is below what is reserved.
    /// </remarks>
    public static async Task<Results<Created<StockLevel>, Ok<StockLevel>, ProblemHttpResult>> HandleAsync(
        Guid productId, Request request, HttpContext http, StockWriter writer, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.Require(request.OnHand is >= 0 and <= StockLimits.MaxUnits, "$.onHand", $"0 to {StockLimits.MaxUnits} is allowed.");
        errors.Require(request.LowStockThreshold is null or (>= 0 and <= StockLimits.MaxUnits), "$.lowStockThreshold", $"0 to {StockLimits.MaxUnits} is allowed.");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        StockItem? item = null;
        StockLevel? answer = null;
        ProblemHttpResult? Decide(StockBatch stock)
        {
            item = stock.Item(productId);
            if (item is not null && ETags.CheckIfMatch(http, item.Version) is { } precondition)
            {
                return precondition;
            }

            item ??= stock.Create(productId);
            var delta = request.OnHand - item.OnHand;
            if (!item.TrySetOnHand(request.OnHand))
            {
                return StockLimits.BelowReserved(item);
            }

            if (request.LowStockThreshold is { } threshold)
            {
                item.SetLowStockThreshold(threshold);
            }

            stock.Record(item, MovementKind.Set, delta, 0);
            answer = StockLevel.Of(item, stock.Now);
            return null;
        }

        ProblemHttpResult? refusal;
        try
        {
            refusal = await writer.ChangeAsync(productId, Decide, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Somebody else made the record at this moment: now it exists, and If-Match is required.
            refusal = await writer.ChangeAsync(productId, Decide, cancellationToken);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        ETags.Set(http, answer!.Version);
        return item!.IsNew ? TypedResults.Created($"/api/inventory/{productId}", answer) : TypedResults.Ok(answer);
    }
}
