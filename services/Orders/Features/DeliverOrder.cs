using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>A shipped order has arrived.</summary>
internal static class DeliverOrder
{
    /// <summary>Mark an order as delivered</summary>
    /// <remarks>200 with the order, also when it was delivered before; 409 <c>illegal-transition</c> unless it is shipped.</remarks>
    public static Task<Results<Ok<OrderView>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, OrderWriter writer, CancellationToken cancellationToken) =>
        Transitions.ApplyAsync(id, http, caller, writer, "delivered", (order, now) => order.Deliver(now), cancellationToken);
}
