using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Http.Resilience;
using OrderInventory.Products.Data;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace OrderInventory.Products.Clients;

internal static class OrdersClientExtensions
{
    public static void AddOrdersClient(this IHostApplicationBuilder builder) =>
        builder.Services.AddHttpClient<OrdersClient>(http => http.BaseAddress = new("http://orders"))
            .AddStandardResilienceHandler(resilience =>
            {
                // A person waits for the answer, and 503 is one.
                resilience.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(3);
                resilience.AttemptTimeout.Timeout = TimeSpan.FromSeconds(1);
                resilience.Retry.MaxRetryAttempts = 2;
                resilience.Retry.Delay = TimeSpan.FromMilliseconds(50);
                resilience.CircuitBreaker.SamplingDuration = TimeSpan.FromSeconds(10);
                resilience.CircuitBreaker.MinimumThroughput = 10;
                resilience.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
            });
}

/// <summary>The Order service.</summary>
internal sealed partial class OrdersClient(HttpClient http, ILogger<OrdersClient> logger)
{
    /// <summary>The answer of <c>GET /api/orders/open</c>.</summary>
    public sealed record OpenOrders(bool Open);

    /// <summary>Whether an order that is not at its end has the product; null when Orders does not say.</summary>
    public async Task<bool?> HasOpenOrdersAsync(Guid productId, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.GetFromJsonAsync($"/api/orders/open?productId={productId}", ProductsJson.Default.OpenOrders, cancellationToken);
            return answer?.Open;
        }
        catch (Exception exception) when (exception is HttpRequestException or TimeoutRejectedException or BrokenCircuitException or JsonException)
        {
            LogUnavailable(exception);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders does not say whether a product is in open orders")]
    private partial void LogUnavailable(Exception exception);
}
