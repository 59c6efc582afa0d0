using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>How many orders have each status.</summary>
internal static class CountOrders
{
    /// <summary>Maximum number of orders that are counted: the newest ones.</summary>
    private const int MaxOrders = 100_000;

    /// <param name="Counts">The number of orders for each status, including 0.</param>
    /// <param name="Total">The sum of the counts.</param>
    /// <param name="IsComplete">False when the limit was reached and only the newest 100,000 orders were counted.</param>
    public sealed record Response(IReadOnlyDictionary<string, long> Counts, long Total, bool IsComplete);

    /// <summary>Count orders by status</summary>
    /// <remarks>
    /// Counts the orders placed in the given time, or all orders; at most the newest 100,000. <c>isComplete</c> says whether those are all.
    /// </remarks>
    /// <param name="placedFrom">Placed then or later.</param>
    /// <param name="placedTo">Placed before.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    public static async Task<Ok<Response>> HandleAsync(
        DateTimeOffset? placedFrom, DateTimeOffset? placedTo, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var (from, to) = (placedFrom ?? DateTimeOffset.UnixEpoch, placedTo ?? DateTimeOffset.MaxValue);
        await using var command = database.CreateCommand(
            """
            SELECT status, count(*) FROM (
                SELECT status FROM orders WHERE id >= $1 AND id < $2 AND placed_at >= $3 AND placed_at < $4 ORDER BY id DESC LIMIT $5) AS newest
            GROUP BY status
            """);
        command.Parameters.Add(new() { Value = DatabaseValues.FirstIdOf(from.ToUnixTimeMilliseconds()) });
        command.Parameters.Add(new() { Value = DatabaseValues.FirstIdOf(to.ToUnixTimeMilliseconds() + 1) });
        command.Parameters.Add(new() { Value = from.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = to.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = MaxOrders });
        var counts = Enum.GetValues<OrderStatus>().ToDictionary(StatusNames.Format, _ => 0L);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            counts[reader.GetString(0)] = reader.GetInt64(1);
        }

        var total = counts.Values.Sum();
        return TypedResults.Ok(new Response(counts, total, total < MaxOrders));
    }
}
