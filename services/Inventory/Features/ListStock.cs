using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Stock of many products.</summary>
internal static class ListStock
{
    private static readonly Paging s_paging = new("stock");

    /// <summary>List stock levels</summary>
    /// <remarks>
    /// A page of levels in the order of product ids. <paramref name="lowStock"/> true or false keeps the products that are low or are not;
    /// <paramref name="productIds"/>, separated by commas, at most 100, names the wanted ones: those without a record are left out. <c>product</c> is what the catalogue says of
    /// it, where that is known here; a deleted product stays listed while it has a record. A customer's items have <c>productId</c>, <c>available</c>,
    /// <c>version</c> and <c>updatedAt</c> only, and <paramref name="lowStock"/> is 403 for a customer.
    /// </remarks>
    public static async Task<Results<Ok<Page<AvailableUnits>>, Ok<Page<StockLevel>>, ProblemHttpResult>> HandleAsync(
        bool? lowStock, string? productIds, int? limit, string? cursor, Caller caller, InventoryDb database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit ?? (productIds is null ? null : IdList.MaxIds), cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var rows = database.StockLevels.AsNoTracking();
        if (productIds is not null)
        {
            if (IdList.Read(productIds, "productIds", out var named) is { } malformed)
            {
                return malformed;
            }

            rows = rows.Where(l => named.Contains(l.ProductId));
        }

        if (after is { } last)
        {
            rows = rows.Where(l => l.ProductId > last);
        }

        var products = rows.GroupBy(l => l.ProductId);
        if (lowStock is not null && caller.OnlyCustomer is not null)
        {
            // It would tell the threshold.
            return Problems.Of("not-permitted", "lowStock is for staff.", StatusCodes.Status403Forbidden);
        }

        if (lowStock is { } low)
        {
            products = products.Where(g => (g.Max(l => l.LowStockThreshold) > 0 && g.Sum(l => l.Available) <= g.Max(l => l.LowStockThreshold)) == low);
        }

        var ids = await products.OrderBy(g => g.Key).Select(g => g.Key).Take(take + 1).ToListAsync(cancellationToken);
        var page = await database.ReadLevelsAsync(ids, cancellationToken);
        var levels = s_paging.ToPage(page, take, level => level.ProductId);
        return caller.OnlyCustomer is null
            ? TypedResults.Ok(levels)
            : TypedResults.Ok(new Page<AvailableUnits>([.. levels.Items.Select(AvailableUnits.Of)], levels.Next));
    }
}
