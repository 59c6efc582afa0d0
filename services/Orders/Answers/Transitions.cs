using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Answers;

/// <summary>A simple transition of the state machine, requested by POST.</summary>
internal static class Transitions
{
    public static Task<Results<Ok<OrderView>, ProblemHttpResult>> ApplyAsync(
        Guid id, HttpContext http, Caller caller, OrderWriter writer, string action, Func<Order, DateTimeOffset, Change> change, CancellationToken cancellationToken) =>
        writer.ChangeAsync<Results<Ok<OrderView>, ProblemHttpResult>>(id, (order, now) =>
        {
            if (order is null || !caller.MaySee(order.CustomerId))
            {
                return Problems.NotFound("order", id);
            }

            if (ETags.CheckIfMatch(http, order.Version, required: false) is { } precondition)
            {
                return precondition;
            }

            if (change(order, now) == Change.Illegal)
            {
                return Illegal(order.Status, order.Version, action);
            }

            return TypedResults.Ok(OrderView.Of(order).SetETag(http));
        }, Actor.Of(caller), cancellationToken);

    /// <summary>409: the state machine does not allow the transition from the order's status.</summary>
    public static ProblemHttpResult Illegal(OrderStatus status, long version, string action) => Problems.Conflict(
        "illegal-transition", $"The order cannot be {action} now.", $"Its status is {StatusNames.Format(status)}.",
        ("orderStatus", StatusNames.Format(status)), ("version", version));
}
