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
    /// A page of levels in the order of product ids; all filters given must hold. <c>product</c> is what the catalogue says of it, where that is
    /// known here; a deleted product stays listed while it has a record. A customer's items have <c>productId</c>, <c>available</c>,
    /// <c>version</c> and <c>updatedAt</c> only; all filters but q, outOfStock and productIds are 403 for a customer.
    /// </remarks>
    /// <param name="q">In the SKU or the name; up to 200 characters; case does not matter.</param>
    /// <param name="location">Products with a record at the location of this code. outOfStock and reserved are then about that location alone.</param>
    /// <param name="lowStock">true: available is at or below the threshold, which is not 0; false: it is not.</param>
    /// <param name="outOfStock">true: nothing is available; false: something is.</param>
    /// <param name="reserved">true: something is reserved; false: nothing is.</param>
    /// <param name="productIds">At most 100 ids, separated by commas; those without a record are left out.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out, 100 with productIds.</param>
    /// <param name="cursor">The <c>next</c> of the page before.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    public static async Task<Results<Ok<Page<AvailableUnits>>, Ok<Page<StockLevel>>, ProblemHttpResult>> HandleAsync(
        string? q, string? location, bool? lowStock, bool? outOfStock, bool? reserved, string? productIds, int? limit, string? cursor,
        Caller caller, InventoryDb database, CancellationToken cancellationToken)
    {
        Guid[]? named = null;
        if ((s_paging.Read(limit ?? (productIds is null ? null : IdList.MaxIds), cursor, out var take, out var after)
            ?? (productIds is null ? null : IdList.Read(productIds, "productIds", out named))) is { } problem)
        {
            return problem;
        }

        var errors = new RequestErrors();
        StockFilter.CheckText(errors, q);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        if (caller.OnlyCustomer is not null && (location is not null || lowStock is not null || reserved is not null))
        {
            // They would tell numbers that only staff sees.
            return Problems.Of("not-permitted", "location, lowStock and reserved are for staff.", StatusCodes.Status403Forbidden);
        }

        var products = new StockFilter(q, location, lowStock, outOfStock, reserved, named).Apply(database);
        if (after is { } last)
        {
            products = products.Where(id => id > last);
        }

        var ids = await products.OrderBy(id => id).Take(take + 1).ToListAsync(cancellationToken);
        var page = await database.ReadLevelsAsync(ids, cancellationToken);
        var levels = s_paging.ToPage(page, take, level => level.ProductId);
        return caller.OnlyCustomer is null
            ? TypedResults.Ok(levels)
            : TypedResults.Ok(new Page<AvailableUnits>([.. levels.Items.Select(AvailableUnits.Of)], levels.Next));
    }
}
