using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>Goods of a shipped order have come back; Inventory puts them back into stock if they may be sold again.</summary>
internal static class ReturnGoods
{
    /// <param name="Lines">What came back, 1 to 500 lines; lines of the same product are summed.</param>
    /// <param name="Restock">Whether the goods go back into stock.</param>
    /// <param name="Reason">Why they came back, at most 500 characters; shown in the timeline, to staff only.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 2}], "restock": true, "reason": "too many"}""")]
    public sealed record Request(IReadOnlyList<WantedLine> Lines, bool Restock = true, [property: MaxLength(500)] string? Reason = null);

    /// <summary>Record a return</summary>
    /// <remarks>
    /// 201 with the order, whose status is unchanged. 409 <c>illegal-transition</c> before it was shipped; 409 <c>return-exceeds-shipped</c>
    /// with the lines when more would come back than were shipped; 422 for a product that the order does not have. Idempotency-Key is
    /// accepted, If-Match honoured when sent.
    /// </remarks>
    public static async Task<Results<Created<OrderView>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, Caller caller, OrdersDb database, OrderWriter writer, OrderReader reader, RecentOrders recent,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        WantedLine.Validate(request.Lines, errors);
        errors.AllowText(request.Reason, 500, "$.reason");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        // The returns of each order have their own namespace within the caller's keys.
        await using var create = await IdempotentCreate.BeginAsync(
            http, database, caller.KeysOf($"returns of {id}"), request, OrdersJson.Default.ReturnGoodsRequest, id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is not null)
        {
            return (await reader.FindAsync(id, cancellationToken))!.ToCreated(http);
        }

        var (answer, changed) = await writer.ChangeAsync(
            (NpgsqlConnection)database.Database.GetDbConnection(), (NpgsqlTransaction)database.Database.CurrentTransaction!.GetDbTransaction(), id,
            (order, now) => Decide(order, id, request, http, now), Actor.Of(caller), cancellationToken);
        if (changed is not null)
        {
            await create.CommitAsync(cancellationToken);
            recent.Changed(changed.CustomerId);
        }

        return answer;
    }

    private static Results<Created<OrderView>, ProblemHttpResult> Decide(Order? order, Guid id, Request request, HttpContext http, DateTimeOffset now)
    {
        if (order is null)
        {
            return Problems.NotFound("order", id);
        }

        if (ETags.CheckIfMatch(http, order.Version, required: false) is { } precondition)
        {
            return precondition;
        }

        var errors = new RequestErrors();
        for (var i = 0; i < request.Lines.Count; i++)
        {
            var productId = request.Lines[i].ProductId;
            errors.Require(order.Items.Any(l => l.ProductId == productId), $"$.lines[{i}].productId", "The order does not contain this product.");
        }

        if (errors.Any)
        {
            return errors.Unprocessable("unknown-product", "A returned product is not in the order.");
        }

        var returned = request.Lines.GroupBy(l => l.ProductId).Select(g => (ProductId: g.Key, Quantity: g.Sum(l => (long)l.Quantity))).ToList();
        if (order.Status is not (OrderStatus.Shipped or OrderStatus.Delivered))
        {
            return Transitions.Illegal(order.Status, order.Version, "returned");
        }

        var excess = returned.Where(l => l.Quantity > order.Returnable(l.ProductId))
            .Select(l => new { productId = l.ProductId, requested = l.Quantity, returnable = order.Returnable(l.ProductId) }).ToList();
        if (excess.Count > 0)
        {
            return Problems.Conflict("return-exceeds-shipped", "The return exceeds what was shipped.", "Nothing was returned. See lines.",
                ("lines", excess), ("version", order.Version));
        }

        order.Return(new([.. returned.Select(l => new ReturnedLine(l.ProductId, (int)l.Quantity))], request.Restock), request.Reason, now);
        return OrderView.Of(order).ToCreated(http);
    }
}
