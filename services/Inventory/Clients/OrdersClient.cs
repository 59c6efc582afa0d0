using System.Net.Http.Json;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Clients;

/// <summary>Client of the Orders service, which knows what its orders should hold.</summary>
internal sealed partial class OrdersClient(HttpClient http, ILogger<OrdersClient> logger)
{
    /// <summary>The response of <c>GET /internal/orders/open-lines</c>.</summary>
    public sealed record OpenLines(IReadOnlyList<OpenLine> Items);

    /// <param name="ProductId">The product.</param>
    /// <param name="Quantity">Units of orders that should hold stock.</param>
    /// <param name="PendingQuantity">Units of orders that Inventory has not answered yet.</param>
    public sealed record OpenLine(Guid ProductId, long Quantity, long PendingQuantity = 0);

    /// <summary>Units that orders should hold, by product; null when Orders does not answer.</summary>
    public async Task<Dictionary<Guid, OpenLine>?> GetOpenLinesAsync(IReadOnlyList<Guid> products, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.GetFromJsonAsync(
                $"/internal/orders/open-lines?productIds={string.Join(',', products)}", InventoryJson.Default.OpenLines, cancellationToken);
            return answer?.Items?.GroupBy(line => line.ProductId)
                .ToDictionary(g => g.Key, g => new OpenLine(g.Key, g.Sum(line => line.Quantity), g.Sum(line => line.PendingQuantity)));
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogUnavailable(exception.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders did not answer what its open orders should hold: {Reason}")]
    private partial void LogUnavailable(string reason);
}
