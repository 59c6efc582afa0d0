using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Lists the stock of many products.</summary>
internal static class ListStock
{
    private static readonly Paging s_paging = new("stock");

    /// <summary>List stock levels</summary>
    /// <remarks>
    /// A page of levels in the order of product ids; all given filters must match. <c>product</c> is the product's catalogue data, when it is
    /// known here; a deleted product stays listed while it has a record. A customer's items have only <c>productId</c>, <c>available</c>,
    /// <c>version</c> and <c>updatedAt</c>; all filters but q, outOfStock and productIds are 403 for a customer. For a customer, <c>available</c> and
    /// outOfStock count active locations only, because nothing can be ordered from the others.
    /// </remarks>
    /// <param name="q">Text in the SKU or the name; up to 200 characters; case does not matter.</param>
    /// <param name="location">
    /// Products with a record at the location with this code. outOfStock and reserved then refer to that location only.
    /// </param>
    /// <param name="lowStock">true: available is at or below the threshold, which is not 0; false: it is not.</param>
    /// <param name="outOfStock">true: nothing is available; false: something is.</param>
    /// <param name="reserved">true: something is reserved; false: nothing is.</param>
    /// <param name="productIds">At most 100 ids, separated by commas; those without a record are left out.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out, 100 with productIds.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
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
            // These filters would reveal quantities that only staff may see.
            return Problems.Of("not-permitted", "Only staff may use location, lowStock and reserved.", StatusCodes.Status403Forbidden);
        }

        var inactive = caller.OnlyCustomer is null ? [] : await database.ReadInactiveLocationsAsync(cancellationToken);
        var products = new StockFilter(q, location, lowStock, outOfStock, reserved, named, inactive).Apply(database);
        if (after is { } last)
        {
            products = products.Where(id => id > last);
        }

        var ids = await products.OrderBy(id => id).Take(take + 1).ToListAsync(cancellationToken);
        var page = await database.ReadLevelsAsync(ids, cancellationToken: cancellationToken);
        var levels = s_paging.ToPage(page, take, level => level.ProductId);
        return caller.OnlyCustomer is null
            ? TypedResults.Ok(levels)
            : TypedResults.Ok(new Page<AvailableUnits>([.. levels.Items.Select(level => AvailableUnits.Of(level, inactive))], levels.Next));
    }
}
