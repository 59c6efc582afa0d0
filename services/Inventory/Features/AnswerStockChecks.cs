using Npgsql;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Data;
using OrderInventory.Messaging.RequestReply;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// The stock check over Kafka, for a system whose services meet only there: what <see cref="CheckStock"/> answers over HTTP. Questions
/// that arrive together are one query.
/// </summary>
internal sealed class AnswerStockChecks(NpgsqlDataSource database, IServiceProvider services, TimeProvider time, ILogger<AnswerStockChecks> logger)
    : RequestReplyResponder<StockCheckRequested, StockCheckReplied>(
        new(
            StockCheckRequested.Topic, StockCheckRequested.Type, EventsJson.Default.StockCheckRequested, Validate, StockCheckRequested.DeadlineHeader,
            InventoryEvents.StockCheckReplied),
        services, time, logger)
{
    public static string? Validate(StockCheckRequested request) => request.Lines.Count is < 1 or > CheckStock.MaxLines
        ? "A question has 1 to 500 lines."
        : request.Lines.Any(line => line.Quantity is < 1 or > StockLimits.MaxUnits) ? "A line's quantity is out of range." : null;

    protected override async Task<IReadOnlyList<StockCheckReplied>> AnswerAsync(IReadOnlyList<StockCheckRequested> requests, CancellationToken cancellationToken)
    {
        var products = requests.SelectMany(request => request.Lines).Select(line => line.ProductId).Distinct().ToArray();
        var orders = requests.Select(request => request.OrderId).OfType<Guid>().Distinct().ToArray();
        var holds = requests.Select(request => request.HoldId).OfType<Guid>().Distinct().ToArray();
        var stock = await AvailableStock.ReadAsync(database, products, orders, holds, cancellationToken);
        return [.. requests.Select(request => Answer(request, stock))];
    }

    private static StockCheckReplied Answer(StockCheckRequested request, AvailableStock.Units stock)
    {
        var lines = request.Lines.GroupBy(line => line.ProductId)
            .Select(product =>
            {
                var (requested, available) = (product.Sum(line => line.Quantity), stock.For(product.Key, request.OrderId, request.HoldId));
                return new StockCheckResult(product.Key, requested, available, requested <= available);
            })
            .ToList();
        return new(lines.TrueForAll(line => line.Sufficient), lines);
    }
}
