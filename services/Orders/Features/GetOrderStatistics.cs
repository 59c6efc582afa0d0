using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>How many orders were placed per hour, day or week, and their outcome.</summary>
internal static class GetOrderStatistics
{
    /// <param name="From">When the span begins, UTC.</param>
    /// <param name="To">When it ends and the next one begins, UTC.</param>
    /// <param name="Placed">Orders that were placed in the span. The other numbers count these orders by their current status.</param>
    /// <param name="Confirmed">Those that are confirmed, shipped or delivered, or have a pending revision.</param>
    /// <param name="Rejected">Those that were rejected or have expired.</param>
    /// <param name="Cancelled">Those that are cancelled, or have a pending cancel.</param>
    /// <param name="Revenue">The totals of the confirmed ones, by currency.</param>
    public sealed record Span(
        DateTimeOffset From, DateTimeOffset To, long Placed, long Confirmed, long Rejected, long Cancelled, IReadOnlyList<Money> Revenue);

    /// <param name="By">The length of a span.</param>
    /// <param name="Zone">The time zone whose clock and calendar define the spans.</param>
    /// <param name="Items">Oldest first, including spans without orders.</param>
    public sealed record Response(BucketSize By, string Zone, IReadOnlyList<Span> Items);

    /// <summary>Read order statistics by hour, day or week</summary>
    /// <remarks>
    /// Orders count in the span in which they were placed. The first and the last span are complete; at most 1,000 are returned. A day on which
    /// the zone's clocks change has 23 or 25 hours.
    /// </remarks>
    /// <param name="from">The first span begins at this time or earlier; default: 24 hours, 30 days or 26 weeks back.</param>
    /// <param name="to">The last span ends at this time or later; default: now.</param>
    /// <param name="by">hour, day (the default) or week, which begins on Monday.</param>
    /// <param name="zone">A zone of the IANA database, like Europe/Berlin; default: UTC.</param>
    /// <param name="database">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        DateTimeOffset? from, DateTimeOffset? to, BucketSize? by, string? zone, NpgsqlDataSource database, TimeProvider time, CancellationToken cancellationToken)
    {
        if (TimeBuckets.Read(from, to, by, zone, time.GetUtcNow(), out var buckets) is { } problem)
        {
            return problem;
        }

        await using var command = database.CreateCommand(
            """
            SELECT width_bucket(placed_at, $1) - 1 AS bucket, currency, count(*),
                count(*) FILTER (WHERE status IN ('confirmed', 'revisionPending', 'shipped', 'delivered')),
                count(*) FILTER (WHERE status IN ('rejected', 'expired')),
                count(*) FILTER (WHERE status IN ('cancelPending', 'cancelled')),
                coalesce(sum(total) FILTER (WHERE status IN ('confirmed', 'revisionPending', 'shipped', 'delivered')), 0)
            FROM orders WHERE id >= $2 AND id < $3 AND placed_at >= $4 AND placed_at < $5
            GROUP BY bucket, currency ORDER BY bucket, currency
            """);
        command.Parameters.Add(new() { Value = buckets.Bounds.Select(bound => bound.UtcDateTime).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        // An id begins with the time of placement, so the primary key finds the range.
        command.Parameters.Add(new() { Value = DatabaseValues.FirstIdOf(buckets.From.ToUnixTimeMilliseconds()) });
        command.Parameters.Add(new() { Value = DatabaseValues.FirstIdOf(buckets.To.ToUnixTimeMilliseconds()) });
        command.Parameters.Add(new() { Value = buckets.From.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = buckets.To.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        var spans = Enumerable.Range(0, buckets.Count).Select(i => new Span(buckets.Bounds[i], buckets.Bounds[i + 1], 0, 0, 0, 0, [])).ToArray();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            ref var span = ref spans[reader.GetInt32(0)];
            var revenue = reader.GetDecimal(6);
            span = span with
            {
                Placed = span.Placed + reader.GetInt64(2),
                Confirmed = span.Confirmed + reader.GetInt64(3),
                Rejected = span.Rejected + reader.GetInt64(4),
                Cancelled = span.Cancelled + reader.GetInt64(5),
                Revenue = revenue == 0 ? span.Revenue : [.. span.Revenue, new(revenue, reader.GetString(1))],
            };
        }

        return TypedResults.Ok(new Response(by ?? BucketSize.Day, zone ?? "UTC", spans));
    }
}
