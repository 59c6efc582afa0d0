using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>Requests a cancel. The order is <c>cancelled</c> when Inventory has released the stock.</summary>
internal static class CancelOrder
{
    /// <param name="Reason">Why, at most 500 characters; in no event. The timeline shows it to staff, and to the customer if they wrote it.</param>
    [Example("""{"reason": "changed their mind"}""")]
    public sealed record Request([property: MaxLength(500)] string? Reason = null);

    /// <summary>Request a cancel</summary>
    /// <remarks>
    /// 202 until Inventory has released the stock, 200 afterwards; a repeated request gives the same answer and does nothing twice. 409
    /// <c>illegal-transition</c> from any other status than pending, confirmed and revisionPending. If-Match is honoured when sent.
    /// </remarks>
    public static async Task<Results<Accepted<OrderView>, Ok<OrderView>, ProblemHttpResult>> HandleAsync(
        Guid id, Request? request, HttpContext http, Caller caller, OrderWriter writer, CancellationToken cancellationToken)
    {
        request ??= new();
        var errors = new RequestErrors();
        errors.AllowText(request.Reason, 500, "$.reason");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        return await writer.ChangeAsync<Results<Accepted<OrderView>, Ok<OrderView>, ProblemHttpResult>>(id, (order, now) =>
        {
            if (order is null || !caller.MaySee(order.CustomerId))
            {
                return Problems.NotFound("order", id);
            }

            if (ETags.CheckIfMatch(http, order.Version, required: false) is { } precondition)
            {
                return precondition;
            }

            if (order.Cancel(request.Reason, now) == Change.Illegal)
            {
                return Transitions.Illegal(order.Status, order.Version, "cancelled");
            }

            var view = OrderView.Of(order).SetETag(http);
            return order.Status == OrderStatus.Cancelled ? TypedResults.Ok(view) : TypedResults.Accepted($"/api/orders/{id}", view);
        }, Actor.Of(caller), cancellationToken);
    }
}
