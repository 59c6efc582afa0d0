using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class InventoryEndpoints
{
    public static void MapInventory(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/inventory").WithTags("Inventory");
        group.MapGet("/", ListStock.HandleAsync).WithProblems(400);
        group.MapPost("/check", CheckStock.HandleAsync).WithProblems(400);
        group.MapGet("/{productId:guid}", GetStock.HandleAsync).WithETag().WithProblems(404);
        group.MapPut("/{productId:guid}", SetStock.HandleAsync).WithIfMatch().WithProblems(400, 409);
        group.MapPost("/{productId:guid}/adjustments", AdjustStock.HandleAsync).WithProblems(400, 404, 409, 412);
        group.MapPost("/{productId:guid}/stocktakes", TakeStock.HandleAsync).WithProblems(400, 404, 409);
        group.MapGet("/{productId:guid}/movements", ListMovements.HandleAsync).WithProblems(400);
        group.MapGet("/reservations/{orderId:guid}", GetReservation.HandleAsync).WithProblems(404);
    }
}
