using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class ListLocations
{
    private static readonly Paging s_paging = new("locations");

    /// <summary>List the locations</summary>
    /// <remarks>In the order in which orders are served; there are at most 200.</remarks>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Results<Ok<Page<LocationResponse>>, ProblemHttpResult>> HandleAsync(
        int? limit, string? cursor, InventoryDb database, CancellationToken cancellationToken)
    {
        if (s_paging.ReadText(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var locations = database.Locations.AsNoTracking();
        if (after is not null)
        {
            if (!TryReadKey(after, out var priority, out var code))
            {
                return Paging.MalformedCursor();
            }

            locations = locations.Where(l => l.Priority > priority || (l.Priority == priority && string.Compare(l.Code, code) > 0));
        }

        var page = await locations.OrderBy(l => l.Priority).ThenBy(l => l.Code).Take(take + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage([.. page.Select(LocationResponse.Of)], take, Key));
    }

    private static string Key(LocationResponse location) => string.Create(CultureInfo.InvariantCulture, $"{location.Priority}/{location.Code}");

    private static bool TryReadKey(string key, out int priority, out string code)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        code = key[(slash + 1)..];
        priority = 0;
        return slash > 0 && Location.IsCode(code)
            && int.TryParse(key.AsSpan(0, slash), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out priority);
    }
}
