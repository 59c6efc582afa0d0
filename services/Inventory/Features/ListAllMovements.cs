using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>The ledger of all products, for who looks for a cause.</summary>
internal static class ListAllMovements
{
    private static readonly Paging s_paging = new("all movements");

    /// <summary>The ledger is kept in the order of products; over all of them, so much is looked through at once.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(31);

    private static readonly TimeSpan s_usual = TimeSpan.FromDays(1);

    /// <param name="ProductId">Whose stock.</param>
    /// <param name="Movement">The ledger row.</param>
    public sealed record Item(Guid ProductId, ListMovements.Item Movement);

    /// <param name="From">From when on rows were looked at.</param>
    /// <param name="To">Until when.</param>
    /// <param name="Items">Newest first.</param>
    /// <param name="Next">The cursor of the next page, or null on the last.</param>
    public sealed record Response(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<Item> Items, string? Next);

    /// <summary>Read the ledger of all products, newest first</summary>
    /// <remarks>Of a period of at most 31 days. All filters given must hold.</remarks>
    /// <param name="from">Then or later; left out: a day before <paramref name="to"/>.</param>
    /// <param name="to">Before; left out: now. Say it for the pages that follow, or rows that come meanwhile move the period.</param>
    /// <param name="kind">Why a number changed: one or more words, separated by commas.</param>
    /// <param name="location">At the location of this code.</param>
    /// <param name="reason">Exactly staff's reason.</param>
    /// <param name="reference">Exactly staff's reference.</param>
    /// <param name="orderId">Caused by this order.</param>
    /// <param name="sub">Asked for by this subject of a token.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the page before.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        DateTimeOffset? from, DateTimeOffset? to, string? kind, string? location, string? reason, string? reference, Guid? orderId, string? sub, int? limit, string? cursor,
        InventoryDb database, TimeProvider time, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        if (WordList.Read<MovementKind>(kind, "kind", out var kinds) is { } unknown)
        {
            return unknown;
        }

        var end = (to ?? time.GetUtcNow()).ToUniversalTime();
        var start = from?.ToUniversalTime() ?? (end - DateTimeOffset.MinValue > s_usual ? end - s_usual : DateTimeOffset.MinValue);
        var errors = new RequestErrors();
        errors.Require(start < end, "from", "It must be before to.");
        errors.Require(end - start <= s_longest, "from", string.Create(CultureInfo.InvariantCulture, $"At most {s_longest.TotalDays} days are looked through."));
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
