using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Holds units for a cart for a while, so that they are still available at checkout.</summary>
internal static class CreateHold
{
    /// <param name="Lines">The units to hold, 1 to 500 lines; lines of the same product are summed.</param>
    /// <param name="TtlSeconds">How long to hold them; at most a day.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}], "ttlSeconds": 900}""")]
    public sealed record Request(IReadOnlyList<HoldLine> Lines, int TtlSeconds = HoldRules.DefaultTtl);

    /// <summary>Hold units for a cart</summary>
    /// <remarks>
    /// 201 with the hold; 409 <c>insufficient-stock</c> when not all units are available, and then nothing is held. An order that is placed with
    /// the hold's id turns the hold into its reservation. A customer's hold is for their own order only; a hold made by staff is for anyone who
    /// knows its id. 422 <c>unknown-product</c> for a deleted or discontinued product, which no order could have.
    /// </remarks>
    public static async Task<Results<Created<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, InventoryDb database, StockChange change, InventoryOptions options, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        HoldRules.CheckLines(errors, request.Lines);
        HoldRules.CheckTtl(errors, request.TtlSeconds, options.MaxHoldLifetime);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var (id, wanted) = (Guid.CreateVersion7(), HoldRules.Sum(request.Lines));
        var result = await change.RunAsync<Guid>(
            new StockScope { Products = [.. wanted.Keys], FindStatus = true },
            stock =>
            {
                if (HoldRules.Check(stock, request.Lines, wanted, []) is { } refusal)
                {
                    return refusal;
                }

                stock.StartHold(id, TimeSpan.FromSeconds(request.TtlSeconds), wanted, caller.OnlyCustomer);
                return id;
            },
            caller,
            cancellationToken,
            claims => IdempotentCreate.BeginAsync(http, claims, caller.Sub, request, InventoryJson.Default.CreateHoldRequest, id, cancellationToken));
        return result.Refusal is { } problem
            ? problem
            : await database.AnswerHoldAsync(http, result.CreatedEarlier ?? id, hold => TypedResults.Created($"/api/inventory/holds/{hold.Id}", hold), cancellationToken);
    }
}
