using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
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
    /// <param name="HoldId">A hold that counts as available while it lives: the order is to be placed with it.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}]}""")]
    public sealed record Request(IReadOnlyList<Line> Lines, Guid? OrderId = null, Guid? HoldId = null);

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

        var requested = ProductSums.Of(request.Lines, line => line.ProductId, line => line.Quantity);
        var available = await AvailableStock.ReadAsync(
            database, [.. requested.Keys], request.OrderId is { } order ? [order] : [], request.HoldId is { } hold ? [hold] : [], cancellationToken);
        var lines = requested
            .Select(line => (Line: line, Available: available.For(line.Key, request.OrderId, request.HoldId)))
            .Select(line => new CheckedLine(line.Line.Key, line.Line.Value, line.Available, line.Line.Value <= line.Available))
            .ToList();
        return TypedResults.Ok(new Response(lines.TrueForAll(line => line.Sufficient), lines));
    }

    private static ProblemHttpResult? Validate(Request request)
    {
        var errors = new RequestErrors();
        errors.Require(request.Lines.Count is >= 1 and <= MaxLines, "$.lines", $"1 to {MaxLines} lines are required.");
        for (var i = 0; i < request.Lines.Count && i < MaxLines; i++)
        {
            // The JSON reader lets a null pass as an element of a list.
            if (request.Lines[i] is null)
            {
                errors.Add($"$.lines[{i}]", "A line is required.");
            }
            else if (request.Lines[i].Quantity < 1)
            {
                errors.Add($"$.lines[{i}].quantity", "At least 1 is required.");
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }
}
