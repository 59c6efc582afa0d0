namespace OrderInventory.Inventory.Features;

internal static class InventoryEndpoints
{
    public static void MapInventory(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/inventory").WithTags("Inventory");
        group.MapGet("/", ListStock.HandleAsync).WithSummary("List stock levels");
        group.MapPost("/check", CheckStock.HandleAsync).WithSummary("Check whether an order could be had just now");
        group.MapGet("/{productId:guid}", GetStock.HandleAsync).WithSummary("Read a product's stock");
        group.MapPut("/{productId:guid}", SetStock.HandleAsync).WithSummary("Make or set a product's stock");
        group.MapPost("/{productId:guid}/adjustments", AdjustStock.HandleAsync).WithSummary("Add or remove units");
        group.MapPost("/{productId:guid}/stocktakes", TakeStock.HandleAsync).WithSummary("Record a count of the shelf");
        group.MapGet("/{productId:guid}/movements", ListMovements.HandleAsync).WithSummary("Read a product's ledger, newest first");
        group.MapGet("/reservations/{orderId:guid}", GetReservation.HandleAsync).WithSummary("Read what was last decided for an order");
    }
}
