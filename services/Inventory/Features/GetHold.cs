using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class GetHold
{
    /// <summary>Read a hold</summary>
    /// <remarks>An ended hold can be read for a week.</remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, InventoryDb database, CancellationToken cancellationToken) =>
        // No 304: the status changes with time, without a new version.
        await database.AnswerHoldAsync(http, id, TypedResults.Ok, cancellationToken, caller);
}
