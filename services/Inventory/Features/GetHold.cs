using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class GetHold
{
    /// <summary>Read a hold</summary>
    /// <remarks>One that has ended can be read for a week.</remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, InventoryDb database, CancellationToken cancellationToken)
    {
        if (await database.ReadHoldAsync(id, cancellationToken) is not { } hold)
        {
            return Problems.NotFound("hold", id);
        }

        // No 304: the passing of time changes the status, and the version does not know it.
        ETags.Set(http, hold.Version);
        return TypedResults.Ok(hold);
    }
}
