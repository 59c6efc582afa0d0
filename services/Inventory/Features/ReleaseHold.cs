using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class ReleaseHold
{
    /// <summary>Let a hold go</summary>
    /// <remarks>
    /// 204; its units are free at once, and it can still be read. 409 <c>hold-ended</c> when an order has it; one that is released or
    /// expired already is 204 again.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, StockWriter writer, CancellationToken cancellationToken)
    {
        var refusal = await writer.ChangeAsync(new([], [], [id]), (stock, _) =>
        {
            ProblemHttpResult? problem = null;
            if (stock.Hold(id) is not { } hold)
            {
                problem = Problems.NotFound("hold", id);
            }
            else if (ETags.CheckIfMatch(http, hold.Version) is { } precondition)
            {
                problem = precondition;
            }
            else if (hold.Status == HoldStatus.Consumed)
            {
                problem = HoldRules.Ended(hold.Status);
            }
            else if (hold.Status == HoldStatus.Live)
            {
                stock.EndHold(hold, hold.IsDue ? HoldStatus.Expired : HoldStatus.Released);
            }

            return Task.FromResult(problem);
        }, cancellationToken);
        return refusal is not null ? refusal : TypedResults.NoContent();
    }
}
