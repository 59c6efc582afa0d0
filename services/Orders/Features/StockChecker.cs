using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Orders.Clients;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>The question to Inventory before lines are accepted, and what its answer, or its silence, means by configuration.</summary>
internal sealed class StockChecker(InventoryClient inventory, KafkaStockCheck kafka, IOptions<OrdersOptions> options)
{
    /// <summary>Asks; the answer is for <see cref="Refuse"/>, for a question may be under way beside other work on its request.</summary>
    /// <param name="lines">What is wanted.</param>
    /// <param name="orderId">An order whose own reservation counts as available, or null.</param>
    /// <param name="holdId">A hold that counts as available, or null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<StockCheck> AskAsync(IReadOnlyList<PlaceOrder.Line> lines, Guid? orderId, Guid? holdId, CancellationToken cancellationToken)
    {
        if (options.Value.StockCheck == StockCheckMode.None)
        {
            return Task.FromResult(StockCheck.Enough);
        }

        var question = new StockCheckRequested([.. lines.Select(l => new StockCheckLine(l.ProductId, l.Quantity))], orderId, holdId);
        return options.Value.StockCheck == StockCheckMode.Kafka
            ? kafka.CheckAsync(question, cancellationToken)
            : inventory.CheckAsync(question, cancellationToken);
    }

    /// <summary>Null when the lines may be accepted; otherwise 409 <c>insufficient-stock</c>, or 503 when nobody knows and that is refused.</summary>
    public ProblemHttpResult? Refuse(HttpContext http, StockCheck check) => check.Outcome switch
    {
        StockCheckOutcome.Short => Problems.Conflict(
            "insufficient-stock", "Not enough stock.", "Nothing was reserved and no order was made or changed; see lines.", ("lines", check.Lines)),
        StockCheckOutcome.Unknown when options.Value.WhenStockUnknown == WhenStockUnknown.Refuse => Problems.Unavailable(http, "Inventory"),
        _ => null,
    };
}
