using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace OrderInventory.Orders.Clients;

internal static class OrdersClientsExtensions
{
    /// <summary>The services that Orders asks synchronously: short timeouts, few retries, a circuit breaker each.</summary>
    public static void AddOrdersClients(this WebApplicationBuilder builder)
    {
        builder.Services.AddHttpClient<InventoryClient>(http => http.BaseAddress = new("http://inventory"))
            .AddStandardResilienceHandler(options => Configure(options, attempt: TimeSpan.FromMilliseconds(500), total: TimeSpan.FromSeconds(1.5)));
        builder.Services.AddHttpClient<ProductsClient>(http => http.BaseAddress = new("http://products"))
            .AddStandardResilienceHandler(options => Configure(options, attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3)));
        builder.Services.AddHttpClient<CustomersClient>(http => http.BaseAddress = new("http://customers"))
            .AddStandardResilienceHandler(options => Configure(options, attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3)));
        builder.Services.AddHttpClient<NotificationsClient>(http => http.BaseAddress = new("http://notifications"))
            .AddStandardResilienceHandler(options => Configure(options, attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3)));
        builder.Services.AddSingleton<KafkaStockCheck>();
        builder.Services.AddHostedService(services => services.GetRequiredService<KafkaStockCheck>());
    }

    /// <summary>Whether a call failed because the service did not answer: unreachable, too slow, or left alone by the circuit breaker for a while.</summary>
    /// <param name="exception">What the call threw.</param>
    /// <param name="cancellationToken">The caller's: when it is what ended the call, the service is not to blame.</param>
    public static bool MeansNoAnswer(this Exception exception, CancellationToken cancellationToken) => exception is HttpRequestException or ExecutionRejectedException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static void Configure(HttpStandardResilienceOptions options, TimeSpan attempt, TimeSpan total)
    {
        options.AttemptTimeout.Timeout = attempt;
        options.TotalRequestTimeout.Timeout = total;
        options.Retry.MaxRetryAttempts = 1;
        options.Retry.Delay = TimeSpan.FromMilliseconds(50);
        options.CircuitBreaker.SamplingDuration = TimeSpan.FromSeconds(5);
        options.CircuitBreaker.MinimumThroughput = 10;
        options.CircuitBreaker.FailureRatio = 0.5;
        options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
    }
}
