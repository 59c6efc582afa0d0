using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry;

namespace OrderInventory.Gateway;

/// <summary>A service is ready when its own health endpoint says so. Unready services stay in the routing and answer for themselves.</summary>
internal sealed class ServiceHealthCheck(IHttpClientFactory clients, string service) : IHealthCheck
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Scripts that wait for the system call this every second; that is not worth a trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            using var client = clients.CreateClient(nameof(ServiceHealthCheck));
            using var response = await client.GetAsync($"http://{service}/health", HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return response.IsSuccessStatusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"The service answers {(int)response.StatusCode}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The service does not answer.");
        }
    }
}

internal static class ServiceHealthChecks
{
    /// <summary>Adds one check per service; the checks run in parallel.</summary>
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
