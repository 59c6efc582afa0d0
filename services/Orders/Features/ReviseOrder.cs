using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.Orders.Pricing;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Requests new lines. Until Inventory answers, the confirmed lines, the total and the reservation stay valid; a revision that it rejects
/// changes none of them.
/// </summary>
internal static class ReviseOrder
{
    /// <param name="Lines">All lines that the order is to have, 1 to 500.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 5}]}""")]
    public sealed record Request(IReadOnlyList<WantedLine> Lines);

    /// <summary>Request new lines</summary>
    /// <remarks>
    /// 202 with the order in <c>revisionPending</c>. 428 without If-Match, 412 when the order has changed, 409 <c>illegal-transition</c>
    /// unless it is confirmed, 409 <c>insufficient-stock</c> when stock is short (what the order holds counts as available),
    /// 422 for a product that cannot be ordered, and <c>order-too-large</c>. A product that is kept keeps its price.
    /// </remarks>
    public static async Task<Results<Accepted<OrderView>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, Caller caller, OrderReader reader, OrderPricing pricing, StockAdvice stock, OrderWriter writer,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        WantedLine.Validate(request.Lines, errors);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        if (await reader.FindAsync(id, cancellationToken) is not { } current || !caller.MaySee(current.CustomerId))
        {
            return Problems.NotFound("order", id);
        }

        if (ETags.CheckIfMatch(http, current.Version) is { } precondition)
        {
            return precondition;
        }

        if (current.Status != OrderStatus.Confirmed)
        {
            return Transitions.Illegal(current.Status, current.Version, "revised");
        }

        OrderLine[] held = [.. current.Lines.Select(l => new OrderLine(l.ProductId, l.Sku, l.Name, l.Quantity, l.UnitPrice))];
        var (lines, problem) = await pricing.RepriceAsync(held, request.Lines, http, cancellationToken);
        problem ??= stock.Refuse(http, await stock.CheckAsync(request.Lines, id, null, null, cancellationToken));
        if (problem is not null)
        {
            return problem;
        }

        return await writer.ChangeAsync<Results<Accepted<OrderView>, ProblemHttpResult>>(id, (order, now) =>
        {
            // Checked again, now that the row is locked.
            if (ETags.CheckIfMatch(http, order!.Version) is { } changed)
            {
                return changed;
            }

            if (order.Revise(lines!, now) == Change.Illegal)
            {
                return Transitions.Illegal(order.Status, order.Version, "revised");
            }

            return TypedResults.Accepted($"/api/orders/{id}", OrderView.Of(order).SetETag(http));
        }, Actor.Of(caller), cancellationToken);
    }
}
