using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class ReleaseHold
{
    /// <summary>Release a hold</summary>
    /// <remarks>
    /// 204; its units are free immediately, and the hold can still be read. 409 <c>hold-ended</c> when an order has consumed it; a hold that is
    /// already released or expired gives 204 again.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var result = await change.RunAsync<NoContent>(new StockScope { Holds = [id] }, stock =>
        {
            if (stock.Hold(id) is not { } hold || !caller.MaySee(hold.CustomerId))
            {
                return Problems.NotFound("hold", id);
            }

            if (ETags.CheckIfMatch(http, hold.Version) is { } precondition)
            {
                return precondition;
            }

            if (hold.Status == HoldStatus.Consumed)
            {
                return HoldRules.Ended(hold.Status);
            }

            if (hold.Status == HoldStatus.Live)
            {
                stock.EndHold(hold, hold.IsDue ? HoldStatus.Expired : HoldStatus.Released);
            }

            return TypedResults.NoContent();
        }, caller, cancellationToken);
        return result.Refusal is { } refusal ? refusal : result.Answer!;
    }
}
