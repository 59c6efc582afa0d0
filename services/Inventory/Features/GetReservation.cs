using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>What Inventory last decided for an order: queried by Orders about an order that waits too long, and by people.</summary>
internal static class GetReservation
{
    /// <param name="OrderId">The order.</param>
    /// <param name="OrderVersion">The order version that was decided on.</param>
    /// <param name="Outcome">The last decision.</param>
    /// <param name="Lines">What the order holds now.</param>
    /// <param name="Shortages">What was short, when the last decision is a rejection.</param>
    /// <param name="DecidedAt">When it was decided, UTC.</param>
    public sealed record Response(
        Guid OrderId, long OrderVersion, ReservationOutcome Outcome, IReadOnlyList<HeldLine> Lines, IReadOnlyList<Shortage> Shortages, DateTimeOffset DecidedAt)
    {
        internal static Response Of(ReservationRow row) => new(
            row.OrderId, row.OrderVersion, Outcomes.Parse(row.Outcome),
            [.. JsonSerializer.Deserialize(row.Lines, InventoryJson.Default.IReadOnlyListReservedLine)!.Select(l => new HeldLine(l.ProductId, l.Location, l.Quantity))],
            JsonSerializer.Deserialize(row.Shortages, InventoryJson.Default.IReadOnlyListShortage)!, row.DecidedAt);
    }

    public sealed record HeldLine(Guid ProductId, string Location, long Quantity);

    /// <summary>Read what was last decided for an order</summary>
    /// <remarks>404 when Inventory does not know the order.</remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(Guid orderId, InventoryDb database, CancellationToken cancellationToken)
    {
        var row = await database.Reservations.AsNoTracking().FirstOrDefaultAsync(r => r.OrderId == orderId, cancellationToken);
        return row is null ? Problems.NotFound("reservation", orderId) : TypedResults.Ok(Response.Of(row));
    }
}
