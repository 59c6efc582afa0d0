using System.Net.Http.Json;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using Polly;

namespace OrderInventory.Orders.Clients;

/// <summary>Inventory's stock check. Its answer 'short' is final; 'enough' is advice; no answer is <see cref="StockCheck.Unknown"/>.</summary>
internal sealed partial class InventoryClient(HttpClient http, ILogger<InventoryClient> logger)
{
    internal sealed record CheckRequest(IReadOnlyList<CheckLine> Lines, Guid? OrderId);

    internal sealed record CheckLine(Guid ProductId, int Quantity);

    internal sealed record CheckResponse(bool Sufficient, IReadOnlyList<CheckedLine> Lines);

    internal sealed record CheckedLine(Guid ProductId, long Requested, long Available, bool Sufficient);

    /// <param name="lines">What is wanted.</param>
    /// <param name="orderId">An order whose own reservation counts as available, or null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<StockCheck> CheckAsync(IReadOnlyList<CheckLine> lines, Guid? orderId, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsJsonAsync("/api/inventory/check", new(lines, orderId), OrdersJson.Default.CheckRequest, cancellationToken);
            response.EnsureSuccessStatusCode();
            var answer = await response.Content.ReadFromJsonAsync(OrdersJson.Default.CheckResponse, cancellationToken);
            return answer!.Sufficient
                ? StockCheck.Enough
                : new(StockCheckOutcome.Short, [.. answer.Lines.Where(l => !l.Sufficient).Select(l => new Shortage(l.ProductId, l.Requested, l.Available))]);
        }
        catch (Exception exception) when (exception is HttpRequestException or ExecutionRejectedException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogUnknown(exception.Message);
            return StockCheck.Unknown;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer the stock check: {Reason}")]
    private partial void LogUnknown(string reason);
}

internal enum StockCheckOutcome
{
    Enough,
    Short,
    Unknown,
}

internal sealed record StockCheck(StockCheckOutcome Outcome, IReadOnlyList<Shortage> Lines)
{
    public static readonly StockCheck Enough = new(StockCheckOutcome.Enough, []);
    public static readonly StockCheck Unknown = new(StockCheckOutcome.Unknown, []);
}
