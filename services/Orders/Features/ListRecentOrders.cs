using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>A customer's latest orders, newest first, at most 20. An unknown customer has none.</summary>
internal static class ListRecentOrders
{
    /// <summary>Read a customer's latest orders</summary>
    /// <remarks>404 when a customer asks for another customer's orders.</remarks>
    public static async Task<Ok<Page<OrderView>>> HandleAsync(Guid customerId, RecentOrders recent, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<OrderView>(await recent.ReadAsync(customerId, cancellationToken), null));
}
