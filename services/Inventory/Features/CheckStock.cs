using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Checks, before an order is accepted, whether it could be fulfilled now: over HTTP here, over Kafka in <see cref="AnswerStockChecks"/>. Reads
/// from the database, never from a cache, because 'short' refuses an order. 'Enough' is only advice; the reservation decides.
/// </summary>
internal static class CheckStock
{
    /// <param name="Lines">The wanted units; lines of the same product are summed.</param>
    /// <param name="OrderId">An order whose own reservation counts as available, because its lines are to be changed.</param>
    /// <param name="HoldId">A hold whose units count as available while it is live, because the order is to be placed with it.</param>
    /// <param name="CustomerId">The customer who would place the order: another customer's hold does not count.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}]}""")]
    public sealed record Request(IReadOnlyList<Line> Lines, Guid? OrderId = null, Guid? HoldId = null, Guid? CustomerId = null);

    public sealed record Line(Guid ProductId, long Quantity);

    /// <summary>Check whether an order could be fulfilled now</summary>
    /// <remarks>
    /// 200 with an answer per product, even when something is short; a product without a record has 0 available. For a customer's request no
    /// order counts, because Inventory does not know whose it is. A hold made by staff counts for whoever knows its id, a hold made by a customer
    /// only for that customer.
    /// </remarks>
    public static async Task<Results<Ok<StockCheckReplied>, ProblemHttpResult>> HandleAsync(
        Request request, Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var question = new StockCheckRequested(
            [.. request.Lines.Select(line => new StockCheckLine(line.ProductId, line.Quantity))],
            caller.OnlyCustomer is null ? request.OrderId : null, request.HoldId, caller.OnlyCustomer ?? request.CustomerId);
        var errors = Validate(question);
        return errors.Any ? errors.Malformed() : TypedResults.Ok((await AnswerAsync(database, [question], cancellationToken))[0]);
    }

    /// <summary>What is wrong with a question.</summary>
    public static RequestErrors Validate(StockCheckRequested question)
    {
        var errors = new RequestErrors();
        StockProblems.CheckLines(errors, question.Lines, line => line.Quantity);
        return errors;
    }

    /// <summary>Answers all questions with one query.</summary>
    public static async Task<IReadOnlyList<StockCheckReplied>> AnswerAsync(
        NpgsqlDataSource database, IReadOnlyList<StockCheckRequested> questions, CancellationToken cancellationToken)
    {
        var products = questions.SelectMany(question => question.Lines).Select(line => line.ProductId).Distinct().ToArray();
        var orders = questions.Select(question => question.OrderId).OfType<Guid>().Distinct().ToArray();
        var holds = questions.Where(question => question.HoldId is not null).Select(question => (question.HoldId!.Value, question.CustomerId)).Distinct().ToArray();
        var stock = await AvailableStock.ReadAsync(database, products, orders, holds, cancellationToken);
        return [.. questions.Select(question => Answer(question, stock))];
    }

    private static StockCheckReplied Answer(StockCheckRequested question, AvailableStock.Units stock)
    {
        var lines = new List<StockCheckResult>();
        foreach (var (productId, requested) in ProductSums.Of(question.Lines, line => line.ProductId, line => line.Quantity))
        {
            var available = stock.For(productId, question.OrderId, question.HoldId);
            lines.Add(new(productId, requested, available, requested <= available));
        }

        return new(lines.TrueForAll(line => line.Sufficient), lines);
    }
}
