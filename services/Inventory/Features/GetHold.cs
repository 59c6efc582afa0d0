using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class GetHold
{
    /// <summary>Read a hold</summary>
    /// <remarks>One that has ended can be read for a week.</remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, InventoryDb database, CancellationToken cancellationToken) =>
        // No 304: the passing of time changes the status, and the version does not know it.
        await database.AnswerHoldAsync(http, id, TypedResults.Ok, cancellationToken, caller);
}
