using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>What orders hold.</summary>
internal static class ListReservations
{
    private static readonly Paging s_paging = new("reservations");

    /// <summary>Number of orders examined for one page: what an order holds is in its row, where no index finds it.</summary>
    private const int Window = 5000;

    /// <param name="Items">What was last decided for each order.</param>
    /// <param name="Next">The cursor of the next page, or null on the last.</param>
    public sealed record Response(IReadOnlyList<GetReservation.Response> Items, string? Next);

    /// <param name="Orders">Ids, in order.</param>
    /// <param name="Last">The order up to which all were examined; null at the end.</param>
    public sealed record OrdersResponse(IReadOnlyList<Guid> Orders, Guid? Last);

    /// <summary>List what orders hold, newest order first</summary>
    /// <remarks>
    /// All given filters must match. A page may have fewer items than <c>limit</c> and still have a next page: 5,000 orders are examined for each
    /// page.
    /// </remarks>
    /// <param name="location">Orders that hold units at the location with this code, or had units shipped from there.</param>
    /// <param name="productId">Orders that hold units of this product, or had some shipped.</param>
    /// <param name="outcome">The last decision: one or more outcomes, separated by commas.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        string? location, Guid? productId, string? outcome, int? limit, string? cursor, InventoryDb database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        if (EnumList.Read<ReservationOutcome>(outcome, "outcome", out var outcomes) is { } unknown)
        {
            return unknown;
        }

        var (rows, last) = await ReadAsync(database, location, productId, outcomes, after, oldestFirst: false, take, cancellationToken);
        return TypedResults.Ok(new Response([.. rows.Select(GetReservation.Response.Of)], last is null ? null : s_paging.CursorOf(last.Value)));
    }

    /// <summary>List the orders that hold stock at a location</summary>
    /// <remarks>For Orders, which knows everything else about these orders.</remarks>
    /// <param name="location">The location's code. An order that was shipped from there counts.</param>
    /// <param name="oldestFirst">In the order of ids; otherwise newest first.</param>
    /// <param name="after">The order before the first one to return.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Ok<OrdersResponse>> OrdersAsync(
        string location, bool? oldestFirst, Guid? after, InventoryDb database, CancellationToken cancellationToken)
    {
        var (rows, last) = await ReadAsync(database, location, null, null, after, oldestFirst ?? false, Paging.MaxLimit, cancellationToken);
        return TypedResults.Ok(new OrdersResponse([.. rows.Select(row => row.OrderId)], last));
    }

    private static async Task<(List<ReservationRow> Rows, Guid? Last)> ReadAsync(
        InventoryDb database, string? location, Guid? productId, ReservationOutcome[]? outcomes, Guid? after, bool oldestFirst, int take,
        CancellationToken cancellationToken)
    {
        var rows = database.Reservations.AsNoTracking();
        if (after is { } from)
        {
            rows = oldestFirst ? rows.Where(r => r.OrderId > from) : rows.Where(r => r.OrderId < from);
        }

        var ids = oldestFirst ? rows.OrderBy(r => r.OrderId) : rows.OrderByDescending(r => r.OrderId);
        var end = await ids.Select(r => (Guid?)r.OrderId).Skip(Window - 1).FirstOrDefaultAsync(cancellationToken);
        if (end is { } bound)
        {
            rows = oldestFirst ? rows.Where(r => r.OrderId <= bound) : rows.Where(r => r.OrderId >= bound);
        }

        if (outcomes is not null)
        {
            var values = outcomes.Select(Outcomes.Format).ToArray();
            rows = rows.Where(r => values.Contains(r.Outcome));
        }

        if (location is not null || productId is not null)
        {
            // The same line must have both.
            var line = new Dictionary<string, string>();
            if (location is not null)
            {
                line["location"] = location;
            }

            if (productId is { } product)
            {
                line["productId"] = product.ToString();
            }

            var wanted = JsonSerializer.Serialize(new[] { line });
            rows = rows.Where(r => EF.Functions.JsonContains(r.Lines, wanted) || (r.Shipped != null && EF.Functions.JsonContains(r.Shipped, wanted)));
        }

        var found = await (oldestFirst ? rows.OrderBy(r => r.OrderId) : rows.OrderByDescending(r => r.OrderId)).Take(take + 1).ToListAsync(cancellationToken);
        return found.Count > take ? (found[..take], found[take - 1].OrderId) : (found, end);
    }
}
