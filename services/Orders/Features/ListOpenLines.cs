using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>The units that open orders should hold of products: Inventory compares them with what the orders do hold.</summary>
internal static class ListOpenLines
{
    /// <param name="ProductId">The product.</param>
    /// <param name="Quantity">Units in orders that are confirmed or have a pending revision (then the confirmed lines).</param>
    /// <param name="PendingQuantity">Units in orders for which Inventory's answer is not known here yet: pending, or waiting to be cancelled.</param>
    public sealed record OpenLine(Guid ProductId, long Quantity, long PendingQuantity);

    /// <summary>Read the units that open orders should hold of products</summary>
    /// <remarks>One item per product that an open order has; <c>productIds</c> names 1 to 100, separated by commas.</remarks>
    public static async Task<Results<Ok<Page<OpenLine>>, ProblemHttpResult>> HandleAsync(
        string productIds, OrdersDb database, CancellationToken cancellationToken)
    {
        if (IdList.Read(productIds, "productIds", out var ids) is { } malformed)
        {
            return malformed;
        }

        OrderStatus[] settled = [OrderStatus.Confirmed, OrderStatus.RevisionPending];
        OrderStatus[] open = [.. settled, OrderStatus.Pending, OrderStatus.CancelPending];
        // Statuses as constants, so that the planner knows how few orders have them: it begins with those orders, not with all lines that the
        // products ever had.
        var lines = await database.OrderItems
            .Where(line => ids.Contains(line.ProductId))
            .Join(database.Orders.Where(order => EF.Constant(open).Contains(order.Status)), line => line.OrderId, order => order.Id, (line, order) => new { line.ProductId, line.Quantity, order.Status })
            .GroupBy(line => line.ProductId)
            .Select(g => new OpenLine(
                g.Key,
                g.Sum(l => settled.Contains(l.Status) ? (long)l.Quantity : 0),
                g.Sum(l => settled.Contains(l.Status) ? 0 : (long)l.Quantity)))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(new Page<OpenLine>(lines, null));
    }
}
