using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class GetLocation
{
    /// <summary>Read a location</summary>
    public static async Task<Results<Results<Ok<LocationResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        string code, HttpContext http, InventoryDb database, CancellationToken cancellationToken) =>
        await database.FindLocationAsync(code, cancellationToken) is { } location
            ? ETags.Ok(http, LocationResponse.Of(location), location.Version)
            : LocationRules.NotFound(code);
}
