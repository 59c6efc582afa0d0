using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Features;

/// <summary>Whether a product is in an unfinished order: Products queries this before it deletes a product.</summary>
internal static class HasOpenOrders
{
    public sealed record Response(bool Open);

    /// <summary>Whether a product is in an unfinished order</summary>
    public static async Task<Ok<Response>> HandleAsync(Guid productId, OrdersDb database, CancellationToken cancellationToken)
    {
        OrderStatus[] finished = [OrderStatus.Rejected, OrderStatus.Expired, OrderStatus.Cancelled, OrderStatus.Delivered];
        var open = await database.OrderItems
            .Where(line => line.ProductId == productId)
            .Join(database.Orders, line => line.OrderId, order => order.Id, (_, order) => order.Status)
            .AnyAsync(status => !finished.Contains(status), cancellationToken)
            || await IsInPendingRevisionAsync(productId, database, cancellationToken);
        return TypedResults.Ok(new Response(open));
    }

    /// <summary>A revision's lines become the order's lines only when Inventory accepts them; until then they are stored as JSON.</summary>
    private static Task<bool> IsInPendingRevisionAsync(Guid productId, OrdersDb database, CancellationToken cancellationToken)
    {
        var hasProduct = $$"""{"lines": [{"productId": "{{productId}}"}]}""";
        return database.Database.SqlQuery<bool>(
            $"SELECT EXISTS (SELECT FROM orders WHERE status = 'revisionPending' AND revision @> {hasProduct}::jsonb) AS \"Value\"").SingleAsync(cancellationToken);
    }
}
