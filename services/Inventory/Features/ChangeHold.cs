using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>The cart has changed: other lines, the same time.</summary>
internal static class ChangeHold
{
    /// <param name="Lines">What is to be kept now, 1 to 500 lines; lines of one product count as one sum.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 2}]}""")]
    public sealed record Request(IReadOnlyList<HoldLine> Lines);

    /// <summary>Keep other units</summary>
    /// <remarks>
    /// Only the difference moves. 409 <c>insufficient-stock</c>, and the hold stays as it was; 409 <c>hold-ended</c>. The time stays:
    /// see extend.
    /// </remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, InventoryDb database, StockWriter writer, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        HoldRules.CheckLines(errors, request.Lines);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var wanted = HoldRules.Sum(request.Lines);
        var refusal = await writer.ChangeAsync(new([], [.. wanted.Keys], [id]), async (stock, writes) =>
        {
            if (stock.Hold(id) is not { } hold)
            {
                return Problems.NotFound("hold", id);
            }

            if (ETags.CheckIfMatch(http, hold.Version) is { } precondition)
            {
                return precondition;
            }

            if (!hold.IsLive)
            {
                return HoldRules.Ended(hold.Status);
            }

            if (await DeletedProducts.RefuseAsync(writes.Connection!, request.Lines, cancellationToken) is { } deleted)
            {
                return deleted;
            }

            if (await HoldRules.FindShortAsync(stock, writes.Connection!, wanted, hold.Lines, cancellationToken) is { } isShort)
            {
                return isShort;
            }

            hold.Change(stock.Change(hold.Lines, wanted, (MovementKind.Held, MovementKind.HoldReleased), cause: null, orderId: null, id));
            writes.BatchCommands.Add(new("UPDATE holds SET lines = $2 WHERE id = $1")
            {
                Parameters = { new() { Value = id }, new() { Value = HoldRules.ToJson(wanted), NpgsqlDbType = NpgsqlDbType.Jsonb } },
            });
            return null;
        }, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        if (await database.ReadHoldAsync(id, cancellationToken) is not { } answer)
        {
            return Problems.NotFound("hold", id);
        }

        ETags.Set(http, answer.Version);
        return TypedResults.Ok(answer);
    }
}
