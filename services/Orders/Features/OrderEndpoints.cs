using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

internal static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/orders").WithTags("Orders");
        group.MapPost("/", PlaceOrder.HandleAsync).WithSummary("Place an order").WithIdempotencyKey().WithProblems(400, 409, 422, 503);
        group.MapGet("/", ListOrders.HandleAsync).WithSummary("List orders, newest first").WithProblems(400);
        group.MapGet("/open", HasOpenOrders.HandleAsync).WithSummary("Whether a product is in an unfinished order");
        group.MapGet("/{id:guid}", GetOrder.HandleAsync).WithSummary("Read an order").WithETag().WithProblems(404);
        group.MapPut("/{id:guid}/lines", ReviseOrder.HandleAsync).WithSummary("Ask for other lines").WithIfMatch().WithProblems(400, 404, 409, 422, 503);
        group.MapPost("/{id:guid}/cancel", CancelOrder.HandleAsync).WithSummary("Ask for a cancel").WithProblems(400, 404, 409, 412);
        group.MapPost("/{id:guid}/ship", ShipOrder.HandleAsync).WithSummary("Say that an order has left").WithProblems(400, 404, 409, 412);
        group.MapPost("/{id:guid}/deliver", DeliverOrder.HandleAsync).WithSummary("Say that an order has arrived").WithProblems(404, 409, 412);

        routes.MapGet("/api/customers/{customerId:guid}/orders/recent", ListRecentOrders.HandleAsync)
            .WithTags("Orders").WithSummary("Read a customer's latest orders");
    }
}
