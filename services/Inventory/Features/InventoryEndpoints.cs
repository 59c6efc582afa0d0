using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class InventoryEndpoints
{
    public static void MapInventory(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/inventory").WithTags("Inventory");
        group.MapGet("/", ListStock.HandleAsync).For(Policies.ReadStock).WithProblems(503);
        group.MapPost("/check", CheckStock.HandleAsync).For(Policies.ReadStock).WithProblems(503);
        group.MapGet("/{productId:guid}", GetStock.HandleAsync).For(Policies.ReadStock).WithETag().WithProblems(404, 503);
        group.MapPut("/{productId:guid}", SetStock.HandleAsync).For(Policies.ManageStock).WithIfMatch().WithProblems(409, 422, 503);
        group.MapDelete("/{productId:guid}", RemoveStock.HandleAsync).For(Policies.ManageStock).WithIfMatch().WithProblems(404, 409, 503);
        group.MapPost("/{productId:guid}/adjustments", AdjustStock.HandleAsync).For(Policies.ManageStock).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 422, 503);
        group.MapPost("/{productId:guid}/stocktakes", TakeStock.HandleAsync).For(Policies.ManageStock).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 422, 503);
        group.MapPost("/{productId:guid}/transfers", TransferStock.HandleAsync).For(Policies.ManageStock).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 422, 503);
        group.MapPost("/changes", ChangeStock.HandleAsync).For(Policies.ManageStock).WithIdempotencyKey().WithProblems(409, 422, 503);
        group.MapGet("/movements", ListAllMovements.HandleAsync).For(Policies.ManageStock).WithProblems(503);
        group.MapGet("/{productId:guid}/history", GetStockHistory.HandleAsync).For(Policies.ManageStock).WithProblems(404, 503);
        group.MapGet("/{productId:guid}/movements", ListMovements.HandleAsync).For(Policies.ManageStock).WithProblems(503);
        group.MapPost("/{productId:guid}/rebuild", RebuildStock.HandleAsync).For(Policies.ManageStock).WithOptionalIfMatch().WithProblems(404, 409, 503);
        group.MapGet("/reconciliation", ReconcileStock.HandleAsync).For(Policies.ManageStock).WithProblems(503);
        group.MapPost("/import", ImportStock.HandleAsync).For(Policies.ManageStock).WithBulkImport();
        group.MapGet("/export", ExportStock.Handle).For(Policies.ManageStock).Produces<string>(200, MediaTypes.Csv, MediaTypes.Ndjson).WithProblems(406, 503);
        group.MapGet("/reservations", ListReservations.HandleAsync).For(Policies.ReadReservations).WithProblems(503);
        group.MapGet("/reservations/{orderId:guid}", GetReservation.HandleAsync).For(Policies.ReadReservations).WithProblems(404, 503);

        var locations = group.MapGroup("/locations").WithTags("Locations").For(Policies.ManageStock);
        locations.MapGet("/", ListLocations.HandleAsync).WithProblems(503);
        locations.MapPost("/", CreateLocation.HandleAsync).WithIdempotencyKey().WithProblems(404, 503);
        locations.MapGet("/{code}", GetLocation.HandleAsync).WithETag().WithProblems(404, 503);
        locations.MapPut("/{code}", UpdateLocation.HandleAsync).WithIfMatch().WithProblems(404, 503);
        locations.MapPatch("/{code}", UpdateLocation.PatchAsync).WithName("PatchLocation").WithIfMatch().WithProblems(404, 503);
        locations.MapDelete("/{code}", DeleteLocation.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);

        var holds = group.MapGroup("/holds").WithTags("Holds").For(Policies.Holds);
        holds.MapPost("/", CreateHold.HandleAsync).WithIdempotencyKey().WithProblems(404, 409, 422, 503);
        holds.MapGet("/", ListHolds.HandleAsync).WithProblems(503);
        holds.MapGet("/{id:guid}", GetHold.HandleAsync).WithProblems(404, 503);
        holds.MapPut("/{id:guid}", ChangeHold.HandleAsync).WithIfMatch().WithProblems(404, 409, 422, 503);
        holds.MapPost("/{id:guid}/extend", ExtendHold.HandleAsync).WithOptionalIfMatch().WithProblems(404, 409, 503);
        holds.MapDelete("/{id:guid}", ReleaseHold.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);

        // The gateway has no route to it.
        routes.MapGet("/internal/inventory/orders-at", ListReservations.OrdersAsync).For(Policies.BetweenServices).ExcludeFromDescription();
    }
}
