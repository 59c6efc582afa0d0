using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class ListProducts
{
    private static readonly Paging s_paging = new("products");
    private static readonly Paging s_ranked = new("products by rank");

    /// <summary>List or search products</summary>
    /// <remarks>
    /// All filters given must match, including <c>attribute.{name}={value}</c>, allowed up to ten times. Without <c>q</c> the oldest come first.
    /// With <c>q</c>, the product whose SKU equals that text comes first, then those with all its words in SKU and name, then the others; the
    /// oldest first within each group. With <c>ids</c> the answer is one page with the products that exist.
    /// </remarks>
    /// <param name="q">Words to find in SKU, name, category, attributes or description, the last one as a prefix; case does not matter.</param>
    /// <param name="category">Exactly this category.</param>
    /// <param name="sku">Exactly this SKU.</param>
    /// <param name="status"><c>active</c> or <c>discontinued</c>.</param>
    /// <param name="minPrice">Lowest amount of the price, whatever its currency.</param>
    /// <param name="maxPrice">Highest amount of the price, whatever its currency.</param>
    /// <param name="currency">Exactly this currency.</param>
    /// <param name="variantOf">The variants of this product.</param>
    /// <param name="ids">Up to 100 ids, separated by commas.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page, with the same filters.</param>
    public static async Task<Results<Ok<Page<ProductResponse>>, ProblemHttpResult>> HandleAsync(
        string? q, string? category, string? sku, string? status, decimal? minPrice, decimal? maxPrice, string? currency, Guid? variantOf,
        string? ids, int? limit, string? cursor, HttpContext http, ProductsDb db, CancellationToken cancellationToken)
    {
        var filter = new ProductFilter(q, category, sku, status, minPrice, maxPrice, currency, variantOf, ids);
        var ranked = filter.Text is not null;
        Guid? after = null;
        string? afterRanked = null;
        if ((ranked ? s_ranked.ReadText(limit, cursor, out var take, out afterRanked) : s_paging.Read(limit, cursor, out take, out after)) is { } unreadable)
        {
            return unreadable;
        }

        var products = db.Products.AsNoTracking();
        if (filter.Apply(http.Request.Query, ref products) is { } refused)
        {
            return refused;
        }

        if (ids is not null)
        {
            take = IdList.MaxIds;
        }

        if (ranked)
        {
            return await ReadRankedAsync(products, filter.Text!, take, afterRanked, cancellationToken);
        }

        if (after is not null)
        {
            products = products.Where(p => p.Id > after);
        }

        var rows = await products.OrderBy(p => p.Id).Take(take + 1).Select(ProductResponse.Projection).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, p => p.Id));
    }

    /// <summary>
    /// The rank is one of three steps and depends only on the row and the text. So a cursor of rank and id means the same row on every page,
    /// however many products are created meanwhile; with a score that counts words in all documents it would not.
    /// </summary>
    private static async Task<Results<Ok<Page<ProductResponse>>, ProblemHttpResult>> ReadRankedAsync(
        IQueryable<Product> products, string text, int take, string? after, CancellationToken cancellationToken)
    {
        var afterRank = -1;
        var afterId = Guid.Empty;
        if (after is not null && !TryRead(after, out afterRank, out afterId))
        {
            return Paging.MalformedCursor();
        }

        var exact = DatabaseValues.LikePattern(text)[1..^1];
        var inName = ProductSearch.ToQuery(text, "A") ?? "";
        var rows = await products
            .Select(p => new
            {
                Product = p,
                Rank = EF.Functions.ILike(p.Sku, exact, DatabaseValues.LikeEscape) ? 0
                    : EF.Property<NpgsqlTsVector>(p, ProductsDb.Search).Matches(EF.Functions.ToTsQuery(ProductSearch.Configuration, inName)) ? 1
                    : 2,
            })
            .Where(row => row.Rank > afterRank || (row.Rank == afterRank && row.Product.Id > afterId))
            .OrderBy(row => row.Rank).ThenBy(row => row.Product.Id)
            .Take(take + 1)
            .ToListAsync(cancellationToken);
        var page = s_ranked.ToPage(rows, take, row => string.Create(CultureInfo.InvariantCulture, $"{row.Rank}/{row.Product.Id}"));
        return TypedResults.Ok(new Page<ProductResponse>([.. page.Items.Select(row => ProductResponse.Of(row.Product))], page.Next));
    }

    private static bool TryRead(string key, out int rank, out Guid id)
    {
        rank = key[0] - '0';
        id = default;
        return rank is >= 0 and <= 2 && key.Length > 2 && key[1] == '/' && Uuids.TryParse(key.AsSpan(2), out id);
    }
}
