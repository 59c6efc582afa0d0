using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

internal static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/orders").WithTags("Orders");
        group.MapPost("/", PlaceOrder.HandleAsync).WithIdempotencyKey().WithPreferWait().WithProblems(409, 422, 503);
        group.MapGet("/", ListOrders.HandleAsync).WithProblems(503);
        group.MapGet("/counts", CountOrders.HandleAsync).WithProblems(503);
        group.MapGet("/statistics", GetOrderStatistics.HandleAsync).WithProblems(503);
        group.MapGet("/open", HasOpenOrders.HandleAsync).WithProblems(503);
        group.MapGet("/open-lines", ListOpenLines.HandleAsync).WithProblems(503);
        group.MapGet("/{id:guid}/timeline", GetTimeline.HandleAsync).WithProblems(404, 503);
        group.MapGet("/{id:guid}", GetOrder.HandleAsync).WithETag().WithProblems(404, 503);
        group.MapPut("/{id:guid}/lines", ReviseOrder.HandleAsync).WithIfMatch().WithProblems(404, 409, 422, 503);
        group.MapPost("/{id:guid}/cancel", CancelOrder.HandleAsync).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/ship", ShipOrder.HandleAsync).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/deliver", DeliverOrder.HandleAsync).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/returns", ReturnGoods.HandleAsync).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 422, 503);

        routes.MapGet("/api/customers/{customerId:guid}/orders/recent", ListRecentOrders.HandleAsync)
            .WithTags("Orders").WithProblems(503);
    }
}
