using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class CreateLocation
{
    /// <param name="Code">Lower-case letters, digits and hyphens, at most 50; unique among the existing locations.</param>
    /// <param name="Name">Display name; 1 to 200 characters.</param>
    /// <param name="Priority">Orders are served from the lowest number first; the default location has 0.</param>
    /// <param name="Active">Whether orders are served from it.</param>
    [Example("""{"code": "berlin", "name": "Berlin", "priority": 1, "active": true}""")]
    public sealed record Request([property: MaxLength(50)] string Code, [property: MaxLength(200)] string Name, int Priority = 0, bool Active = true);

    /// <summary>Create a location</summary>
    /// <remarks>409 <c>location-exists</c> when the code is taken, <c>too-many-locations</c> beyond 200.</remarks>
    public static async Task<Results<Created<LocationResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, InventoryDb database, ReadCache cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.Require(
            Location.IsCode(request.Code), "$.code", "1 to 50 lower-case letters, digits and hyphens are required; the first must not be a hyphen.");
        LocationRules.Check(errors, request.Name, request.Priority);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var now = time.GetStorableNow();
        var location = new Location
        {
            Code = request.Code,
            Id = Guid.CreateVersion7(now),
            Name = request.Name,
            Priority = request.Priority,
            Active = request.Active,
            CreatedAt = now,
            UpdatedAt = now,
        };
        await using var create = await IdempotentCreate.BeginAsync(
            http, database, caller.Sub, request, InventoryJson.Default.CreateLocationRequest, location.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is { } existing)
        {
            var before = await database.Locations.AsNoTracking().SingleOrDefaultAsync(l => l.Id == existing, cancellationToken);
            return before is null ? LocationRules.NotFound(request.Code) : Created(http, before);
        }

        if (await database.Locations.CountAsync(cancellationToken) >= Location.MaxCount)
        {
            return Problems.Conflict(
                "too-many-locations", "The maximum number of locations has been reached.", $"At most {Location.MaxCount} locations are allowed.");
        }

        database.Add(location);
        try
        {
            await database.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.IsUniqueViolation("pk_locations"))
        {
            return Problems.Conflict("location-exists", "Another location has this code.");
        }

        await create.CommitAsync(cancellationToken);
        cache.Invalidate(StockCache.InactiveLocations);
        return Created(http, location);
    }

    private static Created<LocationResponse> Created(HttpContext http, Location location)
    {
        ETags.Set(http, location.Version);
        return TypedResults.Created($"/api/inventory/locations/{location.Code}", LocationResponse.Of(location));
    }
}
