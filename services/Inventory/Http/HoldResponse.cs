using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Http;

/// <summary>Units held for a cart.</summary>
/// <param name="Id">UUIDv7; an order that names it gets its units.</param>
/// <param name="Status">The state of the hold.</param>
/// <param name="ExpiresAt">When its units are free again, by the database's clock, UTC.</param>
/// <param name="Lines">The requested units, one line per product.</param>
/// <param name="OrderId">The order that consumed it, or null.</param>
/// <param name="Version">Grows with every change; also the ETag.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">UTC.</param>
public sealed record HoldResponse(
    Guid Id, HoldStatus Status, DateTimeOffset ExpiresAt, IReadOnlyList<HoldLine> Lines, Guid? OrderId, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static HoldResponse Of(HoldRow hold) => new(
        hold.Id, hold.Status, hold.ExpiresAt, [.. HoldLines.Read(hold.Lines).Select(line => new HoldLine(line.Key, line.Value))],
        hold.OrderId, hold.Version, hold.CreatedAt, hold.UpdatedAt);
}

/// <summary>Rules shared by the requests about holds.</summary>
internal static class HoldRules
{
    public const int DefaultTtl = 900;
    public const int MaxTtl = 86_400;

    public static void CheckLines(RequestErrors errors, IReadOnlyList<HoldLine> lines) => StockProblems.CheckLines(errors, lines, line => line.Quantity);

    public static void CheckTtl(RequestErrors errors, int ttlSeconds, TimeSpan lifetime)
    {
        var longest = (int)Math.Min(MaxTtl, lifetime.TotalSeconds);
        errors.Require(ttlSeconds >= 1 && ttlSeconds <= longest, "$.ttlSeconds", $"1 to {longest} is allowed.");
    }

    public static Dictionary<Guid, long> Sum(IReadOnlyList<HoldLine> lines) => ProductSums.Of(lines, line => line.ProductId, line => line.Quantity);

    /// <summary>
    /// 422 when a line's product was deleted, or is discontinued and the hold would have more of it: no order could use these units. 409 when
    /// something is short. Otherwise null.
    /// </summary>
    public static ProblemHttpResult? Check(Stock stock, IReadOnlyList<HoldLine> lines, IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> own)
    {
        if (StockProblems.CheckDeleted(stock, lines.Select((line, i) => (line.ProductId, $"$.lines[{i}].productId"))) is { } deleted)
        {
            return deleted;
        }

        var errors = new RequestErrors();
        var discontinued = wanted.Where(product => stock.DiscontinuedProducts.Contains(product.Key)
            && product.Value > own.Where(line => line.ProductId == product.Key).Sum(line => line.Quantity)).Select(product => product.Key).ToHashSet();
        for (var i = 0; i < lines.Count; i++)
        {
            errors.Require(!discontinued.Contains(lines[i].ProductId), $"$.lines[{i}].productId", "The product is discontinued: no more of it can be held.");
        }

        if (errors.Any)
        {
            return errors.Unprocessable("unknown-product", "A product cannot be ordered.");
        }

        var shortages = stock.FindShortages(wanted, own);
        return shortages.Count == 0 ? null : Problems.Conflict(
            "insufficient-stock", "Not enough stock.", "Nothing was changed. See lines.",
            ("lines", shortages.Select(shortage => new Short(shortage.ProductId, shortage.Requested, shortage.Available)).ToList()));
    }

    public static ProblemHttpResult Ended(HoldStatus status) => Problems.Conflict(
        "hold-ended", "The hold has ended.", "Its units are available again, or an order has reserved them. Create a new hold.",
        ("holdStatus", Outcomes.Format(status == HoldStatus.Live ? HoldStatus.Expired : status)));

    /// <summary>The hold with its current status by the database's clock; null when there is none, or when the caller may not see it.</summary>
    public static async Task<HoldResponse?> ReadHoldAsync(this InventoryDb database, Guid id, CancellationToken cancellationToken, Caller? caller = null)
    {
        var hold = await database.HoldsWithStatus().SingleOrDefaultAsync(h => h.Id == id, cancellationToken);
        return hold is null || caller?.MaySee(hold.CustomerId) == false ? null : HoldResponse.Of(hold);
    }

    /// <summary>
    /// Holds with their current status by the database's clock: a hold whose time has passed is expired, whether or not the sweeper has ended it.
    /// </summary>
    public static IQueryable<HoldRow> HoldsWithStatus(this InventoryDb database) => database.Holds
        .FromSql(
            $"""
             SELECT id, CASE WHEN status = 'live' AND expires_at <= now() THEN 'expired' ELSE status END AS status,
                    expires_at, version, lines, order_id, swept_until, created_at, updated_at, customer_id
             FROM holds
             """)
        .AsNoTracking();

    /// <summary>Responds with the hold's current state, or 404.</summary>
    public static async Task<Results<TAnswer, ProblemHttpResult>> AnswerHoldAsync<TAnswer>(
        this InventoryDb database, HttpContext http, Guid id, Func<HoldResponse, TAnswer> answer, CancellationToken cancellationToken,
        Caller? caller = null)
        where TAnswer : IResult
    {
        if (await database.ReadHoldAsync(id, cancellationToken, caller) is not { } hold)
        {
            return Problems.NotFound("hold", id);
        }

        ETags.Set(http, hold.Version);
        return answer(hold);
    }

    /// <summary>A product that is short, as problems show it.</summary>
    internal sealed record Short(Guid ProductId, long Requested, long Available);
}
