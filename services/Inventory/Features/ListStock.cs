using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Stock of many products.</summary>
internal static class ListStock
{
    private const int MaxIds = 100;

    /// <summary>
    /// A page of levels in the order of product ids. <paramref name="lowStock"/> true or false keeps the products that are low or are not;
    /// <paramref name="productIds"/>, separated by commas, at most 100, names the wanted ones: those without a record are left out.
    /// </summary>
    public static async Task<Results<Ok<Page<StockLevel>>, ProblemHttpResult>> HandleAsync(
        bool? lowStock, string? productIds, int? limit, string? cursor, InventoryDb database, CancellationToken cancellationToken)
    {
        if (Paging.Read(limit ?? (productIds is null ? null : MaxIds), cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var rows = database.StockLevels.AsNoTracking();
        if (productIds is not null)
        {
            if (!TryParse(productIds, out var ids))
            {
                return Problems.MalformedRequest("productIds", $"At most {MaxIds} ids separated by commas are expected.");
            }

            rows = rows.Where(l => ids.Contains(l.ProductId));
        }

        if (after is { } last)
        {
            rows = rows.Where(l => l.ProductId > last);
        }

        var levels = StockQueries.Levels(rows);
        if (lowStock is { } low)
        {
            levels = levels.Where(l => (l.LowStockThreshold > 0 && l.Available <= l.LowStockThreshold) == low);
        }

        var page = await levels.OrderBy(l => l.ProductId).Take(take + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(Paging.ToPage(page, take, level => level.ProductId));
    }

    private static bool TryParse(string list, out List<Guid> ids)
    {
        ids = [];
        foreach (var part in list.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Guid.TryParse(part, out var id) || ids.Count == MaxIds)
            {
                return false;
            }

            ids.Add(id);
        }

        return true;
    }
}
