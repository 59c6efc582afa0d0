using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>A customer's latest orders, cached in Redis.</summary>
internal sealed class RecentOrders(ReadCache cache, IDbContextFactory<OrdersDb> databases)
{
    private const int Count = 20;
    private static readonly TimeSpan s_cacheTime = TimeSpan.FromSeconds(30);

    /// <summary>One of the customer's orders is new or has changed. Call it after the commit.</summary>
    public void Changed(Guid customerId) => cache.Invalidate(Key(customerId));

    public async Task<IReadOnlyList<OrderView>> ReadAsync(Guid customerId, CancellationToken cancellationToken) =>
        (await cache.GetOrLoadAsync(Key(customerId), s_cacheTime, OrdersJson.Default.IReadOnlyListOrderView, () => LoadAsync(customerId), cancellationToken))!;

    private async Task<IReadOnlyList<OrderView>?> LoadAsync(Guid customerId)
    {
        await using var database = await databases.CreateDbContextAsync();
        var rows = await database.Orders.AsNoTracking().Include(o => o.Lines)
            .Where(o => o.CustomerId == customerId).OrderByDescending(o => o.Id).Take(Count).ToListAsync();
        return [.. rows.Select(OrderView.Of)];
    }

    private static string Key(Guid customerId) => $"orders:recent:{customerId}";
}

/// <summary>A customer's latest orders, newest first, at most 20. An unknown customer has none.</summary>
internal static class ListRecentOrders
{
    /// <summary>Read a customer's latest orders</summary>
    public static async Task<Ok<Page<OrderView>>> HandleAsync(Guid customerId, RecentOrders recent, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<OrderView>(await recent.ReadAsync(customerId, cancellationToken), null));
}
