using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>Orders by customer, product, status and time of placement, newest first.</summary>
internal static class ListOrders
{
    private static readonly Paging s_paging = new("orders");

    /// <summary>List orders, newest first</summary>
    /// <remarks>A customer's list has their own orders only, and 404 is the answer to a filter for another customer's.</remarks>
    public static async Task<Results<Ok<Page<OrderView>>, ProblemHttpResult>> HandleAsync(
        Guid? customerId, Guid? productId, OrderStatus? status, DateTimeOffset? placedFrom, DateTimeOffset? placedTo, int? limit, string? cursor,
        Caller caller, OrdersDb database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var orders = database.Orders.AsNoTracking().Include(o => o.Items).AsQueryable();
        if (customerId is { } asked && !caller.MaySee(asked))
        {
            return Problems.NotFound("customer", asked);
        }

        if ((caller.OnlyCustomer ?? customerId) is { } customer)
        {
            orders = orders.Where(o => o.CustomerId == customer);
        }

        if (productId is { } product)
        {
            orders = orders.Where(o => o.Items.Any(l => l.ProductId == product));
        }

        if (status is not null)
        {
            orders = orders.Where(o => o.Status == status);
        }

        if (placedFrom is { } from)
        {
            // An id is made of the time at which its order is placed, so the primary key, whose order the list has, ends the walk.
            var (utc, first) = (from.ToUniversalTime(), DatabaseValues.FirstIdOf(from.ToUnixTimeMilliseconds()));
            orders = orders.Where(o => o.PlacedAt >= utc && o.Id >= first);
        }

        if (placedTo is { } to)
        {
            // Ids are of whole milliseconds: those of the last one may be of an order before the end.
            var (utc, end) = (to.ToUniversalTime(), DatabaseValues.FirstIdOf(to.ToUnixTimeMilliseconds() + 1));
            orders = orders.Where(o => o.PlacedAt < utc && o.Id < end);
        }

        if (after is { } last)
        {
            orders = orders.Where(o => o.Id < last);
        }

        var page = await orders.OrderByDescending(o => o.Id).Take(take + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage([.. page.Select(OrderView.Of)], take, order => order.Id));
    }
}
