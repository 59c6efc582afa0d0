using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Units kept for a cart.</summary>
/// <param name="Id">UUIDv7; an order that names it gets what it holds.</param>
/// <param name="Status">What has become of it.</param>
/// <param name="ExpiresAt">When its units are free again, by the database's clock, UTC.</param>
/// <param name="Lines">What was asked for, one line per product.</param>
/// <param name="OrderId">The order that has it, when it is consumed.</param>
/// <param name="Version">Grows with every change; also the ETag.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">UTC.</param>
public sealed record HoldResponse(
    Guid Id, HoldStatus Status, DateTimeOffset ExpiresAt, IReadOnlyList<HoldLine> Lines, Guid? OrderId, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>Wanted units of a product.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, 1 or more; lines of one product count as one sum.</param>
public sealed record HoldLine(Guid ProductId, long Quantity);

/// <summary>What the requests about holds share.</summary>
internal static class HoldRules
{
    public const int MaxLines = 500;
    public const int DefaultTtl = 900;
    public const int MaxTtl = 86_400;

    public static void CheckLines(RequestErrors errors, IReadOnlyList<HoldLine> lines)
    {
        errors.Require(lines.Count is >= 1 and <= MaxLines, "$.lines", $"1 to {MaxLines} lines are required.");
        for (var i = 0; i < lines.Count && i < MaxLines; i++)
        {
            // The JSON reader lets a null pass as an element of a list.
            if (lines[i] is null)
            {
                errors.Add($"$.lines[{i}]", "A line is required.");
            }
            else if (lines[i].Quantity is < 1 or > StockLimits.MaxUnits)
            {
                errors.Add($"$.lines[{i}].quantity", $"1 to {StockLimits.MaxUnits} is required.");
            }
        }
    }

    public static void CheckTtl(RequestErrors errors, int ttlSeconds, TimeSpan lifetime)
    {
        var longest = (int)Math.Min(MaxTtl, lifetime.TotalSeconds);
        errors.Require(ttlSeconds >= 1 && ttlSeconds <= longest, "$.ttlSeconds", $"1 to {longest} is allowed.");
    }

    public static Dictionary<Guid, long> Sum(IReadOnlyList<HoldLine> lines) => ProductSums.Of(lines, line => line.ProductId, line => line.Quantity);

    public static string ToJson(Dictionary<Guid, long> wanted) =>
        JsonSerializer.Serialize([.. wanted.Select(line => new HoldLine(line.Key, line.Value))], InventoryJson.Default.IReadOnlyListHoldLine);

    /// <summary>409 when something is short, also after holds whose time is over have given back what they had.</summary>
    public static async Task<ProblemHttpResult?> FindShortAsync(
        StockBatch stock, NpgsqlConnection connection, Dictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> own, CancellationToken cancellationToken)
    {
        var shortages = stock.Shortages(wanted, own);
        if (shortages.Count > 0 && stock.HasDueHolds)
        {
            await stock.ExpireDueHoldsAsync(connection, cancellationToken);
            shortages = stock.Shortages(wanted, own);
        }

        return shortages.Count == 0 ? null : Problems.Conflict(
            "insufficient-stock", "There is not enough in stock.", "See lines. Nothing was changed.", ("lines", shortages.ConvertAll(Short.Of)));
    }

    public static ProblemHttpResult Ended(HoldStatus status) => Problems.Conflict(
        "hold-ended", "The hold has ended.", "Its units are free again, or an order has them. Make a new one.",
        ("holdStatus", Outcomes.Format(status == HoldStatus.Live ? HoldStatus.Expired : status)));

    /// <summary>The hold as it is, by the database's clock; null when there is none.</summary>
    public static async Task<HoldResponse?> ReadHoldAsync(this InventoryDb database, Guid id, CancellationToken cancellationToken)
    {
        var hold = await database.Holds
            .FromSql(
                $"""
                 SELECT id, CASE WHEN status = 'live' AND expires_at <= now() THEN 'expired' ELSE status END AS status,
                        expires_at, version, lines, order_id, swept_until, created_at, updated_at
                 FROM holds WHERE id = {id}
                 """)
            .AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        return hold is null ? null : new(
            hold.Id, hold.Status, hold.ExpiresAt, JsonSerializer.Deserialize(hold.Lines, InventoryJson.Default.IReadOnlyListHoldLine)!,
            hold.OrderId, hold.Version, hold.CreatedAt, hold.UpdatedAt);
    }

    /// <summary>A product that is short, as problems show it.</summary>
    internal sealed record Short(Guid ProductId, long Requested, long Available)
    {
        public static Short Of(Shortage shortage) => new(shortage.ProductId, shortage.Requested, shortage.Available);
    }
}
