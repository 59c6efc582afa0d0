using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class ListProducts
{
    /// <summary>List products, oldest first</summary>
    /// <remarks>All filters given must hold. With <c>ids</c> the answer is one page with those that there are.</remarks>
    /// <param name="q">Text to be found in name, SKU or description; case does not matter.</param>
    /// <param name="category">Exactly this category.</param>
    /// <param name="sku">Exactly this SKU.</param>
    /// <param name="status"><c>active</c> or <c>discontinued</c>.</param>
    /// <param name="ids">Up to 100 ids, separated by commas.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the page before.</param>
    public static async Task<Results<Ok<Page<ProductResponse>>, ProblemHttpResult>> HandleAsync(
        string? q, string? category, string? sku, string? status, string? ids, int? limit, string? cursor,
        ProductsDb db, CancellationToken cancellationToken)
    {
        if (Paging.Read(ids is null ? limit : IdList.MaxIds, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        var products = db.Products.AsNoTracking();
        if (ids is not null)
        {
            if (IdList.Read(ids, "ids", out var wanted) is { } malformed)
            {
                return malformed;
            }

            products = products.Where(p => wanted.Contains(p.Id));
        }

        if (status is not null)
        {
            ProductStatus? wanted = status switch { "active" => ProductStatus.Active, "discontinued" => ProductStatus.Discontinued, _ => null };
            if (wanted is null)
            {
                return Problems.MalformedRequest("status", "active or discontinued is required.");
            }

            products = products.Where(p => p.Status == wanted);
        }

        if (category is not null)
        {
            products = products.Where(p => p.Category == category);
        }

        if (sku is not null)
        {
            products = products.Where(p => p.Sku == sku);
        }

        if (!string.IsNullOrWhiteSpace(q))
        {
            var pattern = DatabaseValues.LikePattern(q.Trim());
            products = products.Where(p =>
                EF.Functions.ILike(p.Name, pattern, DatabaseValues.LikeEscape)
                || EF.Functions.ILike(p.Sku, pattern, DatabaseValues.LikeEscape)
                || EF.Functions.ILike(p.Description!, pattern, DatabaseValues.LikeEscape));
        }

        if (after is not null)
        {
            products = products.Where(p => p.Id > after);
        }

        var rows = await products.OrderBy(p => p.Id).Take(take + 1).Select(ProductResponse.Projection).ToListAsync(cancellationToken);
        return TypedResults.Ok(Paging.ToPage(rows, take, p => p.Id));
    }
}
