using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

internal static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/orders").WithTags("Orders");
        group.MapPost("/", PlaceOrder.HandleAsync).For(Policies.ChangeOrders).WithIdempotencyKey(required: true).WithPreferWait().WithProblems(409, 422, 503);
        group.MapGet("/", ListOrders.HandleAsync).For(Policies.ReadOrders).WithProblems(404, 503);
        group.MapGet("/counts", CountOrders.HandleAsync).For(Policies.CountOrders).WithProblems(503);
        group.MapGet("/statistics", GetOrderStatistics.HandleAsync).For(Policies.CountOrders).WithProblems(503);
        group.MapGet("/{id:guid}/timeline", GetTimeline.HandleAsync).For(Policies.ReadOrders).WithProblems(404, 503);
        group.MapGet("/{id:guid}", GetOrder.HandleAsync).For(Policies.ReadOrders).WithETag().WithProblems(404, 503);
        group.MapPut("/{id:guid}/lines", ReviseOrder.HandleAsync).For(Policies.ChangeOrders).WithIfMatch().WithProblems(404, 409, 422, 503);
        group.MapPost("/{id:guid}/cancel", CancelOrder.HandleAsync).For(Policies.ChangeOrders).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/ship", ShipOrder.HandleAsync).For(Policies.FulfilOrders).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/deliver", DeliverOrder.HandleAsync).For(Policies.FulfilOrders).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{id:guid}/returns", ReturnGoods.HandleAsync).For(Policies.FulfilOrders).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 422, 503);

        routes.MapGet("/api/customers/{customerId:guid}/orders/recent", ListRecentOrders.HandleAsync).For(Policies.ReadOrders).OnlyOf("customerId")
            .WithTags("Orders").WithProblems(404, 503);

        // The gateway has no route to these.
        var services = routes.MapGroup("/internal/orders").ExcludeFromDescription();
        services.MapGet("/open", HasOpenOrders.HandleAsync).For(Policies.BetweenServices).WithProblems(503);
        services.MapGet("/open-lines", ListOpenLines.HandleAsync).For(Policies.BetweenServices).WithProblems(503);
    }
}
