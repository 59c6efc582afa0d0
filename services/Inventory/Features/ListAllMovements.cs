using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>The ledger of all products, for finding a cause.</summary>
internal static class ListAllMovements
{
    private static readonly Paging s_paging = new("all movements");

    /// <summary>The longest period of one request: the ledger is ordered by product, so a query over all products reads the whole period.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(31);

    private static readonly TimeSpan s_defaultPeriod = TimeSpan.FromDays(1);

    /// <param name="ProductId">The product.</param>
    /// <param name="Movement">The ledger row.</param>
    public sealed record Item(Guid ProductId, ListMovements.Item Movement);

    /// <param name="From">Start of the period that was read.</param>
    /// <param name="To">End of the period that was read.</param>
    /// <param name="Items">Newest first.</param>
    /// <param name="Next">The cursor of the next page, or null on the last.</param>
    public sealed record Response(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<Item> Items, string? Next);

    /// <summary>Read the ledger of all products, newest first</summary>
    /// <remarks>For a period of at most 31 days. All given filters must match.</remarks>
    /// <param name="from">At this time or later; a day before <paramref name="to"/> when left out.</param>
    /// <param name="to">Before this time; now when left out. Repeat it for the following pages, or new rows move the period.</param>
    /// <param name="kind">Why a quantity changed: one or more kinds, separated by commas.</param>
    /// <param name="location">At the location with this code.</param>
    /// <param name="reason">Exactly this reason.</param>
    /// <param name="reference">Exactly this reference.</param>
    /// <param name="orderId">Caused by this order.</param>
    /// <param name="sub">Requested by this subject of a token.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        DateTimeOffset? from, DateTimeOffset? to, string? kind, string? location, string? reason, string? reference, Guid? orderId, string? sub, int? limit, string? cursor,
        InventoryDb database, TimeProvider time, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        if (EnumList.Read<MovementKind>(kind, "kind", out var kinds) is { } unknown)
        {
            return unknown;
        }

        var end = (to ?? time.GetUtcNow()).ToUniversalTime();
        var start = from?.ToUniversalTime() ?? (end - DateTimeOffset.MinValue > s_defaultPeriod ? end - s_defaultPeriod : DateTimeOffset.MinValue);
        var errors = new RequestErrors();
        errors.Require(start < end, "from", "from must be before to.");
        errors.Require(end - start <= s_longest, "from", string.Create(CultureInfo.InvariantCulture, $"The range must not exceed {s_longest.TotalDays} days."));
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var rows = database.StockMovements.AsNoTracking().Where(m => m.OccurredAt >= start && m.OccurredAt < end);
        rows = kinds is null ? rows : rows.Where(m => kinds.Contains(m.Kind));
        rows = location is null ? rows : rows.Where(m => m.Location == location);
        rows = reason is null ? rows : rows.Where(m => m.Reason == reason);
        rows = reference is null ? rows : rows.Where(m => m.Reference == reference);
        rows = orderId is null ? rows : rows.Where(m => m.OrderId == orderId);
        rows = sub is null ? rows : rows.Where(m => m.Sub == sub);
        rows = after is null ? rows : rows.Where(m => m.Id < after);
        var page = await rows.OrderByDescending(m => m.Id).Take(take + 1).ToListAsync(cancellationToken);
        var shown = s_paging.ToPage([.. page.Select(m => new Item(m.ProductId, ListMovements.Item.Of(m)))], take, item => item.Movement.Id);
        return TypedResults.Ok(new Response(start, end, shown.Items, shown.Next));
    }
}
