using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Changes the stock of several products in one request: a delivery of many, a page of a stocktake, thresholds.</summary>
internal static class ChangeStock
{
    /// <param name="ProductId">The product.</param>
    /// <param name="Delta">Units to add, or to remove when negative; not together with <paramref name="OnHand"/>.</param>
    /// <param name="OnHand">Units on hand.</param>
    /// <param name="ExpectedOnHand">The quantity in the system when somebody counted; the line is refused when it has changed since.</param>
    /// <param name="LowStockThreshold">The product's threshold; unchanged when left out.</param>
    /// <param name="Location">The location's code; <c>default</c> when left out.</param>
    public sealed record LineChange(
        Guid ProductId, long? Delta = null, long? OnHand = null, long? ExpectedOnHand = null, long? LowStockThreshold = null,
        [property: MaxLength(50)] string Location = StockItem.DefaultLocation);

    /// <param name="Reason">Why, for the ledger.</param>
    /// <param name="Lines">1 to 500; they are applied in order, each on its own.</param>
    /// <param name="Reference">Staff's own reference, such as a delivery note.</param>
    /// <param name="DryRun">Whether only to report the result, without a change.</param>
    [Example("""
        {"reason": "delivery", "reference": "DN-4711", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "delta": 12},
         {"productId": "019ab000-0000-7000-8000-000000000002", "expectedOnHand": 39, "onHand": 37, "lowStockThreshold": 10}]}
        """)]
    public sealed record Request(
        [property: MaxLength(200)] string Reason, IReadOnlyList<LineChange> Lines, [property: MaxLength(200)] string? Reference = null, bool DryRun = false);

    public enum LineOutcome
    {
        /// <summary>A quantity or the threshold changed.</summary>
        Changed,

        /// <summary>The values were already as requested.</summary>
        Unchanged,

        /// <summary>The line was not applied; see its problem.</summary>
        Refused,

        /// <summary>An earlier request with the same Idempotency-Key has answered this line; see the level for the current values.</summary>
        Replayed,
    }

    /// <param name="Type">As in a problem document.</param>
    /// <param name="Title">What is wrong.</param>
    /// <param name="OnHand">The current units on hand, when they are the reason for the refusal.</param>
    /// <param name="Reserved">The units reserved at the location, when they are the reason for the refusal.</param>
    public sealed record LineProblem(string Type, string Title, long? OnHand = null, long? Reserved = null);

    /// <param name="ProductId">The line's product.</param>
    /// <param name="Location">The line's location.</param>
    /// <param name="Outcome">What happened to the line.</param>
    /// <param name="Problem">Why it was refused, or null.</param>
    /// <param name="Level">The product's stock after the whole request; null without a record.</param>
    public sealed record Result(Guid ProductId, string Location, LineOutcome Outcome, LineProblem? Problem, StockLevel? Level);

    /// <param name="Items">One for each line, in the order of the lines.</param>
    /// <param name="DryRun">Whether nothing was changed.</param>
    public sealed record Response(IReadOnlyList<Result> Items, bool DryRun);

    /// <summary>Change the stock of several products</summary>
    /// <remarks>
    /// 200 with one result for each line, in one transaction: a refused line does not stop the others, and a line sees what those before it have
    /// done. Refusals: <c>not-found</c> (a delta or only a threshold without a record; <c>onHand</c> creates one), <c>unknown-product</c> (deleted;
    /// units can only be taken out), <c>unknown-location</c>, <c>unexpected-stock</c>, <c>stock-below-reserved</c>, <c>malformed-request</c> (too
    /// many units). With an Idempotency-Key a request is applied once; a request of which no line changed anything leaves no key.
    /// </remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.RequireText(request.Reason, 200, "$.reason");
        errors.AllowKey(request.Reference, 200, "$.reference");
        errors.Require(request.Lines is { Count: >= 1 and <= StockLimits.MaxLines }, "$.lines", $"1 to {StockLimits.MaxLines} lines are required.");
        for (var i = 0; i < request.Lines?.Count && i < StockLimits.MaxLines; i++)
        {
            Check(errors, request.Lines[i], $"$.lines[{i}]");
        }

        if (errors.Any)
        {
            return errors.Malformed();
        }

        var products = request.Lines!.Select(line => line.ProductId).Distinct().ToArray();
        var result = await change.RunAsync<Response>(
            StockScope.ToChange(products) with { FindStatus = true },
            stock =>
            {
                var outcomes = request.Lines!.Select(line => Apply(stock, line, new(Reason: request.Reason, Reference: request.Reference))).ToList();
                var response = new Response([.. request.Lines!.Zip(outcomes, (line, outcome) => ResultOf(stock, line, outcome.Outcome, outcome.Problem))], request.DryRun);
                return request.DryRun || !outcomes.Exists(line => line.Outcome == LineOutcome.Changed) ? Change<Response>.Unwritten(response) : response;
            },
            caller,
            cancellationToken,
            request.DryRun ? null : database => IdempotentCreate.BeginAsync(
                http, database, caller.KeysOf("changes of stock"), request, InventoryJson.Default.ChangeStockRequest, Guid.CreateVersion7(), cancellationToken));
        if (result.Refusal is { } problem)
        {
            return problem;
        }

        if (result.Answer is { } answer)
        {
            return TypedResults.Ok(answer);
        }

        var now = await change.RunAsync<Response>(
            new() { Products = products },
            stock => Change<Response>.Unwritten(new([.. request.Lines!.Select(line => ResultOf(stock, line, LineOutcome.Replayed, null))], false)), caller, cancellationToken);
        return TypedResults.Ok(now.Answer!);
    }

    private static void Check(RequestErrors errors, LineChange? line, string path)
    {
        if (line is null)
        {
            errors.Add(path, "A line is required.");
            return;
        }

        errors.Require(line.Delta is null || line.OnHand is null, path, "Only one of delta and onHand is allowed.");
        errors.Require(line.Delta is not null || line.OnHand is not null || line.LowStockThreshold is not null, path, "delta, onHand or lowStockThreshold is required.");
        errors.Require(line.ExpectedOnHand is null || line.OnHand is not null, $"{path}.expectedOnHand", "It is allowed only with onHand.");
        StockProblems.CheckDelta(errors, line.Delta, $"{path}.delta");
        StockProblems.CheckUnits(errors, line.OnHand, $"{path}.onHand");
        StockProblems.CheckUnits(errors, line.LowStockThreshold, $"{path}.lowStockThreshold");
    }

    private static (LineOutcome Outcome, LineProblem? Problem) Apply(Stock stock, LineChange line, Cause cause)
    {
        if (stock.DeletedProducts.Contains(line.ProductId) && line.Delta is not < 0)
        {
            return Refuse("unknown-product", "The product was deleted.");
        }

        if (!stock.Locations.ContainsKey(line.Location))
        {
            return Refuse("unknown-location", "The location does not exist.");
        }

        if (line.OnHand is null && stock.Product(line.ProductId) is not { IsNew: false })
        {
            return Refuse("not-found", "The stock record does not exist.");
        }

        // A removed row has no units.
        var before = stock.Item(line.ProductId, line.Location)?.OnHand ?? 0;
        if (line.ExpectedOnHand is { } expected && expected != before)
        {
            return Refuse("unexpected-stock", "The stock is not as expected.", before);
        }

        var changed = false;
        if ((line.OnHand ?? (line.Delta is { } delta ? before + delta : null)) is { } onHand && (onHand != before || stock.Product(line.ProductId) is not { IsNew: false }))
        {
            var kind = line.Delta is not null ? MovementKind.Adjusted : line.ExpectedOnHand is not null ? MovementKind.Counted : MovementKind.Set;
            if (stock.SetOnHand(line.ProductId, line.Location, onHand, kind, cause) is { } refusal)
            {
                return refusal.TooMany
                    ? Refuse("malformed-request", StockProblems.TooMany)
                    : Refuse("stock-below-reserved", "Fewer units would be left than are reserved.", refusal.OnHand, refusal.Reserved);
            }

            changed = true;
        }

        if (line.LowStockThreshold is { } threshold && stock.Product(line.ProductId) is { } product && product.LowStockThreshold != threshold)
        {
            product.SetLowStockThreshold(threshold);
            changed = true;
        }

        return (changed ? LineOutcome.Changed : LineOutcome.Unchanged, null);
    }

    private static (LineOutcome, LineProblem?) Refuse(string code, string title, long? onHand = null, long? reserved = null) =>
        (LineOutcome.Refused, new("/problems/" + code, title, onHand, reserved));

    private static Result ResultOf(Stock stock, LineChange line, LineOutcome outcome, LineProblem? problem) => new(
        line.ProductId, line.Location, outcome, problem,
        stock.Product(line.ProductId) is { IsNew: false } product ? StockLevel.Of(product, stock.Now) : null);
}
