using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>One order.</summary>
internal static class GetOrder
{
    /// <summary>Read an order</summary>
    /// <remarks>200 with the order, 304 when If-None-Match has its version, 404 when no order has that id or it is another customer's.</remarks>
    public static async Task<Results<Results<Ok<OrderView>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, OrderReader reader, CancellationToken cancellationToken) =>
        await reader.FindAsync(id, cancellationToken) is { } order && caller.MaySee(order.CustomerId) ? ETags.Ok(http, order, order.Version, order.ETagMark) : Problems.NotFound("order", id);
}
