using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class ListLocations
{
    /// <summary>List the locations</summary>
    /// <remarks>All of them, in the order in which orders are served; there are at most 200.</remarks>
    public static async Task<Ok<Page<LocationResponse>>> HandleAsync(InventoryDb database, CancellationToken cancellationToken)
    {
        var locations = await database.Locations.AsNoTracking().OrderBy(l => l.Priority).ThenBy(l => l.Code).ToListAsync(cancellationToken);
        return TypedResults.Ok(new Page<LocationResponse>([.. locations.Select(LocationResponse.Of)], null));
    }
}
