using System.Net.Http.Json;
using OrderInventory.Products.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Clients;

/// <summary>The Order service.</summary>
internal sealed partial class OrdersClient(HttpClient http, ILogger<OrdersClient> logger)
{
    /// <summary>The answer of <c>GET /internal/orders/open</c>.</summary>
    public sealed record OpenOrders(bool Open);

    /// <summary>Whether an unfinished order has the product; null when Orders does not answer.</summary>
    public async Task<bool?> HasOpenOrdersAsync(Guid productId, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.GetFromJsonAsync($"/internal/orders/open?productId={productId}", ProductsJson.Default.OpenOrders, cancellationToken);
            return answer?.Open;
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogUnavailable(exception);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders did not answer whether a product is in open orders")]
    private partial void LogUnavailable(Exception exception);
}
