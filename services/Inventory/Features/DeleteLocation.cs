using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class DeleteLocation
{
    /// <summary>Delete a location</summary>
    /// <remarks>
    /// 409 <c>location-in-use</c> while units are there (move them first), and for <c>default</c>, which always exists. The ledger keeps its
    /// rows. The version of a product that was there rises, because its <c>locations</c> change.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        string code, HttpContext http, InventoryDb database, ReadCache cache, CancellationToken cancellationToken)
    {
        if (!Location.IsCode(code))
        {
            return LocationRules.NotFound(code);
        }

        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        // A transaction that creates stock locks the locations until it ends; from here on none can create stock at this location.
        var location = await database.Locations.FromSql($"SELECT * FROM locations WHERE code = {code} FOR UPDATE").AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (location is null)
        {
            return LocationRules.NotFound(code);
        }

        if (ETags.CheckIfMatch(http, location.Version) is { } precondition)
        {
            return precondition;
        }

        // All rows of the products that were there, in the lock order used everywhere.
        await database.Database.ExecuteSqlAsync(
            $"""
             SELECT FROM stock_levels WHERE product_id IN (SELECT product_id FROM stock_levels WHERE location = {code})
             ORDER BY product_id, location FOR UPDATE
             """, cancellationToken);
        if (code == StockItem.DefaultLocation || await database.StockLevels.AnyAsync(l => l.Location == code && l.OnHand > 0, cancellationToken))
        {
            return Problems.Conflict("location-in-use", "The location is in use.",
            "It has units, or it is the default location. Move the units first, or make the location inactive.");
        }

        // The versions are added to another row: a product's version, their sum, must never fall. One more, because its locations have changed.
        var products = await database.Database.SqlQuery<Guid>(
            $"""
             WITH gone AS (
                 DELETE FROM stock_levels WHERE location = {code}
                 RETURNING product_id, low_stock_threshold, version + 1 AS version, greatest(clock_timestamp(), updated_at + interval '1 microsecond') AS updated_at, removed)
             INSERT INTO stock_levels AS s (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at, removed)
             SELECT product_id, {StockItem.DefaultLocation}, 0, 0, low_stock_threshold, version, updated_at, removed FROM gone
             ON CONFLICT (product_id, location) DO UPDATE
             SET version = s.version + excluded.version, updated_at = greatest(s.updated_at + interval '1 microsecond', excluded.updated_at)
             RETURNING product_id AS "Value"
             """).ToListAsync(cancellationToken);
        await database.Locations.Where(l => l.Code == code).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        cache.Invalidate([StockCache.InactiveLocations, .. products.Select(StockCache.Key)]);
        return TypedResults.NoContent();
    }
}
