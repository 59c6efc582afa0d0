using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>A product's stock over time: its ledger, summed backwards from the current level.</summary>
internal static class GetStockHistory
{
    /// <param name="From">When the span begins, UTC.</param>
    /// <param name="To">When the span ends, UTC. The quantities are those at this time, or the current ones if it is in the future.</param>
    /// <param name="OnHand">Units in the warehouse.</param>
    /// <param name="Reserved">Units promised to orders and holds.</param>
    /// <param name="In">Units that came in during the span, including those of a transfer, which are also in <paramref name="Out"/>.</param>
    /// <param name="Out">Units that went out during the span.</param>
    public sealed record Span(DateTimeOffset From, DateTimeOffset To, long OnHand, long Reserved, long In, long Out);

    /// <param name="By">The length of a span.</param>
    /// <param name="Zone">The time zone whose clock and calendar delimit the spans.</param>
    /// <param name="Items">Oldest first.</param>
    public sealed record Response(BucketSize By, string Zone, IReadOnlyList<Span> Items);

    /// <summary>Read a product's stock over time</summary>
    /// <remarks>
    /// Computed from the ledger. The first and the last span are complete ones; at most 1,000 are possible. 404 without a stock record.
    /// </remarks>
    /// <param name="productId">The product.</param>
    /// <param name="from">The first span begins at this time or earlier; when left out, the spans cover 24 hours, 30 days or 26 weeks.</param>
    /// <param name="to">The last span ends at this time or later; now when left out.</param>
    /// <param name="by">hour, day (the default) or week, which begins on Monday.</param>
    /// <param name="zone">A time zone of the IANA database, like Europe/Berlin; UTC when left out.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Guid productId, DateTimeOffset? from, DateTimeOffset? to, BucketSize? by, string? zone,
        NpgsqlDataSource database, TimeProvider time, CancellationToken cancellationToken)
    {
        if (TimeBuckets.Read(from, to, by, zone, time.GetUtcNow(), out var buckets) is { } problem)
        {
            return problem;
        }

        // One statement, so that level and ledger are of the same moment. A row's id is made from its time, so the primary key finds the span.
        await using var command = database.CreateCommand(
            """
            SELECT 0 AS bucket, sum(on_hand)::bigint, sum(reserved)::bigint, 0::bigint, 0::bigint FROM stock_levels WHERE product_id = $1 AND NOT removed
            UNION ALL
            SELECT width_bucket(occurred_at, $2), sum(on_hand_delta)::bigint, sum(reserved_delta)::bigint,
                coalesce(sum(on_hand_delta) FILTER (WHERE on_hand_delta > 0), 0)::bigint, coalesce(-sum(on_hand_delta) FILTER (WHERE on_hand_delta < 0), 0)::bigint
            FROM stock_movements WHERE product_id = $1 AND id >= $3 AND occurred_at >= $4 GROUP BY 1
            """);
        command.Parameters.Add(new() { Value = productId });
        command.Parameters.Add(new() { Value = buckets.Bounds.Select(bound => bound.UtcDateTime).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        // The hour is for ids made by a clock that was behind the row's time.
        command.Parameters.Add(new() { Value = DatabaseValues.FirstIdOf(buckets.From.AddHours(-1).ToUnixTimeMilliseconds()) });
        command.Parameters.Add(new() { Value = buckets.From.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        (long OnHand, long Reserved)? now = null;
        var changes = new Dictionary<int, (long OnHand, long Reserved, long In, long Out)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt32(0) > 0)
            {
                changes.Add(reader.GetInt32(0), (reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4)));
            }
            else if (!reader.IsDBNull(1))
            {
                now = (reader.GetInt64(1), reader.GetInt64(2));
            }
        }

        if (now is not var (onHand, reserved))
        {
            return Problems.NotFound("stock record", productId);
        }

        // Rows after the last span also lie between it and the current level.
        var spans = new Span[buckets.Count];
        for (var i = buckets.Count + 1; i >= 1; i--)
        {
            var change = changes.GetValueOrDefault(i);
            if (i <= buckets.Count)
            {
                spans[i - 1] = new(buckets.Bounds[i - 1], buckets.Bounds[i], onHand, reserved, change.In, change.Out);
            }

            (onHand, reserved) = (onHand - change.OnHand, reserved - change.Reserved);
        }

        return TypedResults.Ok(new Response(by ?? BucketSize.Day, zone ?? "UTC", spans));
    }
}
