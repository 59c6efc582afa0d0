using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class UpdateLocation
{
    /// <param name="Name">Display name; 1 to 200 characters.</param>
    /// <param name="Priority">Orders are served from the lowest number first.</param>
    /// <param name="Active">Whether orders are served from it.</param>
    [Example("""{"name": "Berlin", "priority": 2, "active": true}""")]
    public sealed record Request([property: MaxLength(200)] string Name, int Priority, bool Active);

    /// <summary>Replace a location</summary>
    /// <remarks>
    /// Its code does not change. Existing reservations stay at their locations. A customer's <c>available</c> counts active locations only and
    /// follows within 30 seconds, without a new version of the stock.
    /// </remarks>
    public static Task<Results<Ok<LocationResponse>, ProblemHttpResult>> HandleAsync(
        string code, Request request, HttpContext http, InventoryDb database, ReadCache cache, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(code, _ => request, http, database, cache, time, cancellationToken);

    /// <summary>Change parts of a location</summary>
    /// <remarks>JSON Merge Patch (RFC 7396).</remarks>
    public static Task<Results<Ok<LocationResponse>, ProblemHttpResult>> PatchAsync(
        string code, MergePatch<Request> patch, HttpContext http, InventoryDb database, ReadCache cache, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(code, location => patch.ApplyTo(new(location.Name, location.Priority, location.Active)), http, database, cache, time, cancellationToken);

    private static async Task<Results<Ok<LocationResponse>, ProblemHttpResult>> ChangeAsync(
        string code, Func<Location, Request> change, HttpContext http, InventoryDb database, ReadCache cache, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await database.FindLocationAsync(code, cancellationToken) is not { } location)
        {
            return LocationRules.NotFound(code);
        }

        if (ETags.CheckIfMatch(http, location.Version) is { } precondition)
        {
            return precondition;
        }

        var request = change(location);
        var errors = new RequestErrors();
        LocationRules.Check(errors, request.Name, request.Priority);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        if (location.Change(request.Name, request.Priority, request.Active, time.GetStorableNow()))
        {
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                cache.Invalidate(StockCache.InactiveLocations);
            }
            catch (DbUpdateConcurrencyException)
            {
                var version = await database.Locations.AsNoTracking().Where(l => l.Code == code).Select(l => l.Version).SingleOrDefaultAsync(cancellationToken);
                return version == 0 ? LocationRules.NotFound(code) : Problems.PreconditionFailed(version);
            }
        }

        ETags.Set(http, location.Version);
        return TypedResults.Ok(LocationResponse.Of(location));
    }
}
