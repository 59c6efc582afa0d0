using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Changes a hold's lines because the cart has changed; its time does not change.</summary>
internal static class ChangeHold
{
    /// <param name="Lines">The units to hold from now on, 1 to 500 lines; lines of the same product are summed.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 2}]}""")]
    public sealed record Request(IReadOnlyList<HoldLine> Lines);

    /// <summary>Change a hold's lines</summary>
    /// <remarks>
    /// Only the difference is moved. 409 <c>insufficient-stock</c>, and the hold does not change; 409 <c>hold-ended</c>. The expiry time does not
    /// change: see extend. 422 <c>unknown-product</c> for a deleted product, and for more units of a discontinued one.
    /// </remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, Caller caller, InventoryDb database, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        HoldRules.CheckLines(errors, request.Lines);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var wanted = HoldRules.Sum(request.Lines);
        var result = await change.RunAsync<Guid>(new StockScope { Products = [.. wanted.Keys], Holds = [id], FindStatus = true }, stock =>
        {
            if (stock.Hold(id) is not { } hold || !caller.MaySee(hold.CustomerId))
            {
                return Problems.NotFound("hold", id);
            }

            if (ETags.CheckIfMatch(http, hold.Version) is { } precondition)
            {
                return precondition;
            }

            if (!hold.IsLive)
            {
                return HoldRules.Ended(hold.Status);
            }

            if (HoldRules.Check(stock, request.Lines, wanted, hold.Lines) is { } refusal)
            {
                return refusal;
            }

            hold.Change(wanted, stock.Change(hold.Lines, wanted, MovementKind.Held, MovementKind.HoldReleased, new(HoldId: id)));
            return id;
        }, caller, cancellationToken);
        return result.Refusal is { } problem ? problem : await database.AnswerHoldAsync(http, id, TypedResults.Ok, cancellationToken);
    }
}
