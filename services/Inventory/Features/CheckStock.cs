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
/// Whether an order could be had just now, asked before it is accepted: over HTTP here, over Kafka in <see cref="AnswerStockChecks"/>.
/// From the database, never from a cache: 'short' refuses an order. 'Enough' is only advice; the reservation decides.
/// </summary>
internal static class CheckStock
{
    /// <param name="Lines">What is wanted; lines of one product count as one sum.</param>
    /// <param name="OrderId">An order whose reservation counts as available: it wants to change its lines.</param>
    /// <param name="HoldId">A hold that counts as available while it lives: the order is to be placed with it.</param>
    /// <param name="CustomerId">Whose order it would be: a hold of another customer's does not count.</param>
    [Example("""{"lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}]}""")]
    public sealed record Request(IReadOnlyList<Line> Lines, Guid? OrderId = null, Guid? HoldId = null, Guid? CustomerId = null);

    public sealed record Line(Guid ProductId, long Quantity);

    /// <summary>Check whether an order could be had just now</summary>
    /// <remarks>
    /// 200 with an answer per product, also when something is short; a product without a record has 0 available. For a customer no order counts, for whose it is
    /// is not known here, and no hold but their own.
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

    /// <summary>Answers all questions by one query.</summary>
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
