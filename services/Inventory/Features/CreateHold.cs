using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>A cart keeps units for a while, so that checking out does not find them gone.</summary>
internal static class CreateHold
{
    /// <param name="Lines">What is to be kept, 1 to 500 lines; lines of one product count as one sum.</param>
    /// <param name="TtlSeconds">For how long; at most a day.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}], "ttlSeconds": 900}""")]
    public sealed record Request(IReadOnlyList<HoldLine> Lines, int TtlSeconds = HoldRules.DefaultTtl);

    /// <summary>Keep units for a cart</summary>
    /// <remarks>
    /// 201 with the hold; 409 <c>insufficient-stock</c> when not all of it is there, and nothing is kept then. An order that is placed with
    /// the hold's id turns it into its reservation.
    /// </remarks>
    public static async Task<Results<Created<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, InventoryDb database, StockWriter writer, InventoryOptions options, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        HoldRules.CheckLines(errors, request.Lines);
        HoldRules.CheckTtl(errors, request.TtlSeconds, options.MaxHoldLifetime);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var id = Guid.CreateVersion7();
        return await StockWriter.RetryAsync<Results<Created<HoldResponse>, ProblemHttpResult>>(async () =>
        {
            await using var create = await IdempotentCreate.BeginAsync(
                http, database, IdempotentCreate.Anonymous, request, InventoryJson.Default.CreateHoldRequest, id, cancellationToken);
            if (create.Problem is { } refused)
            {
                return refused;
            }

            if (create.Existing is { } existing)
            {
                return await AnswerAsync(http, database, existing, cancellationToken);
            }

            var connection = (NpgsqlConnection)database.Database.GetDbConnection();
            var wanted = HoldRules.Sum(request.Lines);
            var (refusal, stock) = await writer.ChangeAsync(connection, new([], [.. wanted.Keys], []), async (stock, writes) =>
            {
                if (await DeletedProducts.RefuseAsync(connection, request.Lines, cancellationToken) is { } deleted)
                {
                    return deleted;
                }

                if (await HoldRules.FindShortAsync(stock, connection, wanted, [], cancellationToken) is { } isShort)
                {
                    return isShort;
                }

                var lines = stock.Reserve(wanted, [], MovementKind.Held, cause: null, orderId: null, id);
                writes.BatchCommands.Add(Insert(id, wanted, request.TtlSeconds, stock.Now));
                writes.BatchCommands.Add(StockBatch.InsertHoldLines([.. lines.Select(line => (id, line))]));
                return null;
            }, cancellationToken);
            if (refusal is not null)
            {
                return refusal;
            }

            await create.CommitAsync(cancellationToken);
            writer.Committed(stock);
            return await AnswerAsync(http, database, id, cancellationToken);
        });
    }

    // The time ends by the clock that will end it: the database's.
    private static NpgsqlBatchCommand Insert(Guid id, Dictionary<Guid, long> wanted, int ttlSeconds, DateTimeOffset now) => new(
        """
        INSERT INTO holds (id, status, expires_at, version, lines, created_at, updated_at)
        VALUES ($1, 'live', clock_timestamp() + $2, 1, $3, clock_timestamp(), $4)
        """)
    {
        Parameters =
        {
            new() { Value = id },
            new() { Value = TimeSpan.FromSeconds(ttlSeconds) },
            new() { Value = HoldRules.ToJson(wanted), NpgsqlDbType = NpgsqlDbType.Jsonb },
            new() { Value = now.UtcDateTime },
        },
    };

    private static async Task<Results<Created<HoldResponse>, ProblemHttpResult>> AnswerAsync(
        HttpContext http, InventoryDb database, Guid id, CancellationToken cancellationToken)
    {
        if (await database.ReadHoldAsync(id, cancellationToken) is not { } hold)
        {
            return Problems.NotFound("hold", id);
        }

        ETags.Set(http, hold.Version);
        return TypedResults.Created($"/api/inventory/holds/{id}", hold);
    }
}
