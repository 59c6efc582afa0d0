using Microsoft.EntityFrameworkCore;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Data;

/// <summary>Which stock records the list and the export show; a filter that is null does not apply.</summary>
/// <param name="Text">Text in the SKU or the name; case does not matter.</param>
/// <param name="Location">
/// With a record at this location; <paramref name="OutOfStock"/> and <paramref name="Reserved"/> then refer to this location only.
/// </param>
/// <param name="LowStock">Whether available is at or below the product's threshold, over all locations.</param>
/// <param name="OutOfStock">Whether nothing is available.</param>
/// <param name="Reserved">Whether anything is reserved.</param>
/// <param name="Products">Only these products.</param>
/// <param name="Uncounted">Locations that <paramref name="OutOfStock"/> does not count.</param>
internal sealed record StockFilter(
    string? Text, string? Location, bool? LowStock, bool? OutOfStock, bool? Reserved, Guid[]? Products, string[] Uncounted)
{
    public const int MaxText = 200;

    public static void CheckText(RequestErrors errors, string? text) => errors.AllowText(text, MaxText, "q");

    /// <summary>The ids of the products, in no particular order.</summary>
    public IQueryable<Guid> Apply(InventoryDb database)
    {
        var rows = database.StockLevels.AsNoTracking();
        if (Products is { } products)
        {
            rows = rows.Where(l => products.Contains(l.ProductId));
        }

        if (Text?.Trim() is { Length: > 0 } text)
        {
            var pattern = DatabaseValues.LikePattern(text);
            rows = rows.Where(l => database.ProductCopies.Any(p => p.ProductId == l.ProductId
                && (EF.Functions.ILike(p.Sku, pattern, DatabaseValues.LikeEscape) || EF.Functions.ILike(p.Name, pattern, DatabaseValues.LikeEscape))));
        }

        if (LowStock is { } low)
        {
            var those = database.StockLevels.GroupBy(l => l.ProductId)
                .Where(g => (g.Max(l => l.LowStockThreshold) > 0 && g.Sum(l => l.Available) <= g.Max(l => l.LowStockThreshold)) == low)
                .Select(g => g.Key);
            rows = rows.Where(l => those.Contains(l.ProductId));
        }

        if (Location is not null)
        {
            rows = rows.Where(l => l.Location == Location);
        }

        var groups = rows.GroupBy(l => l.ProductId);
        if (OutOfStock is { } empty)
        {
            groups = Uncounted.Length == 0
                ? groups.Where(g => (g.Sum(l => l.Available) <= 0) == empty)
                : groups.Where(g => (g.Sum(l => Uncounted.Contains(l.Location) ? 0 : l.Available) <= 0) == empty);
        }

        if (Reserved is { } reserved)
        {
            groups = groups.Where(g => (g.Sum(l => l.Reserved) > 0) == reserved);
        }

        return groups.Select(g => g.Key);
    }
}
