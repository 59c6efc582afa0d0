using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry;

namespace OrderInventory.Gateway;

/// <summary>A service is ready when it says so itself. Unready services are not left out of routing: they answer for themselves.</summary>
internal sealed class ServiceHealthCheck(IHttpClientFactory clients, string service) : IHealthCheck
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Whoever waits for the system asks every second; that is nothing to trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            using var client = clients.CreateClient(nameof(ServiceHealthCheck));
            using var response = await client.GetAsync($"http://{service}/health", HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return response.IsSuccessStatusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"It answers {(int)response.StatusCode}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("It does not answer.");
        }
    }
}

internal static class ServiceHealthChecks
{
    /// <summary>One check per service; they run side by side.</summary>
    public static void AddServiceHealthChecks(this IServiceCollection services)
    {
        services.AddHttpClient(nameof(ServiceHealthCheck));
        foreach (var service in SystemRoutes.Services)
        {
            services.AddHealthChecks().Add(new(
                service, provider => new ServiceHealthCheck(provider.GetRequiredService<IHttpClientFactory>(), service), HealthStatus.Unhealthy, []));
        }
    }
}
