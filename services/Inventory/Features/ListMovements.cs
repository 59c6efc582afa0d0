using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>The ledger of a product, newest first.</summary>
internal static class ListMovements
{
    private static readonly Paging s_paging = new("movements");

    /// <param name="Id">UUIDv7.</param>
    /// <param name="Location">The location's code.</param>
    /// <param name="Kind">Why a quantity changed.</param>
    /// <param name="OnHandDelta">Change of the units in the warehouse.</param>
    /// <param name="ReservedDelta">Change of the units promised to orders and holds.</param>
    /// <param name="OrderId">The order that caused it, or null.</param>
    /// <param name="Reason">Staff's reason, or null.</param>
    /// <param name="Reference">Staff's reference, or null.</param>
    /// <param name="EventId">The event that caused it, or null.</param>
    /// <param name="OccurredAt">When it happened, UTC.</param>
    /// <param name="HoldId">The hold that caused it, or null.</param>
    /// <param name="Sub">The token subject of the caller who requested it; null when an event or a timer caused it.</param>
    /// <param name="Role">The caller's role, or null.</param>
    public sealed record Item(
        Guid Id, string Location, MovementKind Kind, long OnHandDelta, long ReservedDelta, Guid? OrderId, string? Reason, string? Reference,
        Guid? EventId, DateTimeOffset OccurredAt, Guid? HoldId, string? Sub, string? Role)
    {
        internal static Item Of(StockMovement row) => new(
            row.Id, row.Location, row.Kind, row.OnHandDelta, row.ReservedDelta, row.OrderId, row.Reason, row.Reference, row.EventId, row.OccurredAt, row.HoldId,
            row.Sub, row.Role);
    }

    /// <summary>Read a product's ledger, newest first</summary>
    public static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> HandleAsync(
        Guid productId, int? limit, string? cursor, InventoryDb database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var page = await database.StockMovements.AsNoTracking()
            .Where(m => m.ProductId == productId && (after == null || m.Id < after))
            .OrderByDescending(m => m.Id)
            .Take(take + 1)
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage([.. page.Select(Item.Of)], take, item => item.Id));
    }
}
