using Microsoft.EntityFrameworkCore;
using OrderInventory.ServiceDefaults.Caching;

namespace OrderInventory.Orders.Data;

/// <summary>A customer's latest orders, cached in Redis.</summary>
internal sealed class RecentOrders(ReadCache cache, IDbContextFactory<OrdersDb> databases)
{
    private const int Count = 20;
    private static readonly TimeSpan s_cacheTime = TimeSpan.FromSeconds(30);

    /// <summary>Call this after the commit when one of the customer's orders is new or has changed.</summary>
    public void Changed(Guid customerId) => cache.Invalidate(Key(customerId));

    public async Task<IReadOnlyList<OrderView>> ReadAsync(Guid customerId, CancellationToken cancellationToken) =>
        (await cache.GetOrLoadAsync(Key(customerId), s_cacheTime, OrdersJson.Default.IReadOnlyListOrderView, () => LoadAsync(customerId), cancellationToken))!;

    private async Task<IReadOnlyList<OrderView>?> LoadAsync(Guid customerId)
    {
        await using var database = await databases.CreateDbContextAsync();
        var rows = await database.Orders.AsNoTracking().Include(o => o.Items)
            .Where(o => o.CustomerId == customerId).OrderByDescending(o => o.Id).Take(Count).ToListAsync();
        return [.. rows.Select(OrderView.Of)];
    }

    private static string Key(Guid customerId) => $"orders:recent:{customerId}";
}
