using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Http;

/// <summary>A place where stock is kept.</summary>
/// <param name="Code">Its name in requests and ledger rows: lower-case letters, digits and hyphens, at most 50. It never changes.</param>
/// <param name="Name">Display name.</param>
/// <param name="Priority">Orders are served from the lowest number first.</param>
/// <param name="Active">When false, nothing new is promised from it.</param>
/// <param name="Version">Grows with every change; also the ETag.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">UTC.</param>
public sealed record LocationResponse(
    string Code, string Name, int Priority, bool Active, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static LocationResponse Of(Location location) =>
        new(location.Code, location.Name, location.Priority, location.Active, location.Version, location.CreatedAt, location.UpdatedAt);
}

/// <summary>Rules shared by the requests about locations.</summary>
internal static class LocationRules
{
    public const int MaxPriority = 1_000_000;

    public static void Check(RequestErrors errors, string name, int priority)
    {
        errors.RequireText(name, 200, "$.name");
        errors.Require(Math.Abs((long)priority) <= MaxPriority, "$.priority", $"-{MaxPriority} to {MaxPriority} is allowed.");
    }

    public static ProblemHttpResult NotFound(string code) => Problems.Of(
        "not-found", "The location does not exist.", StatusCodes.Status404NotFound, Location.IsCode(code) ? $"No location has the code {code}." : null);

    public static async Task<Location?> FindLocationAsync(this InventoryDb database, string code, CancellationToken cancellationToken) =>
        Location.IsCode(code) ? await database.Locations.SingleOrDefaultAsync(l => l.Code == code, cancellationToken) : null;
}
