using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Whether an order could be had just now, asked before it is accepted. From the database, never from a cache: 'short' refuses an order.
/// 'Enough' is only advice; the reservation decides.
/// </summary>
internal static class CheckStock
{
    public const int MaxLines = 500;

    /// <param name="Lines">What is wanted; lines of one product count as one sum.</param>
    /// <param name="OrderId">An order whose reservation counts as available: it wants to change its lines.</param>
    public sealed record Request(IReadOnlyList<Line> Lines, Guid? OrderId = null);

    public sealed record Line(Guid ProductId, int Quantity);

    public sealed record Response(bool Sufficient, IReadOnlyList<CheckedLine> Lines);

    public sealed record CheckedLine(Guid ProductId, long Requested, long Available, bool Sufficient);

    /// <summary>Check whether an order could be had just now</summary>
    /// <remarks>200 with an answer per product, also when something is short; a product without a record has 0 available.</remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Request request, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (Validate(request) is { } problem)
        {
            return problem;
        }

        var requested = new Dictionary<Guid, long>();
        foreach (var line in request.Lines)
        {
            requested[line.ProductId] = requested.GetValueOrDefault(line.ProductId) + line.Quantity;
        }

        var available = await ReadAvailableAsync(database, [.. requested.Keys], request.OrderId, cancellationToken);
        var lines = requested
            .Select(line => new CheckedLine(line.Key, line.Value, available.GetValueOrDefault(line.Key), line.Value <= available.GetValueOrDefault(line.Key)))
            .ToList();
        return TypedResults.Ok(new Response(lines.TrueForAll(line => line.Sufficient), lines));
    }

    private static ProblemHttpResult? Validate(Request request)
    {
        var errors = new RequestErrors();
        errors.Require(request.Lines.Count is >= 1 and <= MaxLines, "$.lines", $"1 to {MaxLines} lines are required.");
        for (var i = 0; i < request.Lines.Count && i < MaxLines; i++)
        {
            if (request.Lines[i].Quantity < 1)
            {
                errors.Add($"$.lines[{i}].quantity", "At least 1 is required.");
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }

    private static async Task<Dictionary<Guid, long>> ReadAvailableAsync(
        NpgsqlDataSource database, Guid[] products, Guid? orderId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(orderId is null
            ? "SELECT product_id, sum(available)::bigint FROM stock_levels WHERE product_id = ANY($1) GROUP BY product_id"
            : """
              SELECT product_id, sum(available)::bigint FROM (
                  SELECT product_id, available FROM stock_levels WHERE product_id = ANY($1)
                  UNION ALL
                  SELECT (line ->> 'productId')::uuid, (line ->> 'quantity')::bigint
                  FROM reservations, jsonb_array_elements(lines) AS line WHERE order_id = $2) AS s
              GROUP BY product_id
              """);
        command.Parameters.Add(new() { Value = products });
        if (orderId is { } order)
        {
            command.Parameters.Add(new() { Value = order });
        }

        var available = new Dictionary<Guid, long>(products.Length);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            available[reader.GetGuid(0)] = reader.GetInt64(1);
        }

        return available;
    }
}
