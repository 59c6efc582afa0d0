using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrderInventory.AppHost;

/// <summary>
/// Repeats a failing health check several times a second before it reports to Aspire. Aspire itself checks a resource that is not healthy yet after
/// 1, 2, 3, 4, then every 5 seconds (ResourceHealthCheckService, tag v13.6.x), and resources that wait for it start only then.
/// </summary>
internal static class PromptHealthChecks
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>After this time the failure is reported to Aspire, so that the dashboard shows it and its reason.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The same before the resource is healthy for the first time: longer, because Aspire's pause between two checks would delay the start.
    /// </summary>
    private static readonly TimeSpan s_firstTimeout = TimeSpan.FromSeconds(10);

    public static void AddPromptHealthChecks(this IDistributedApplicationBuilder builder) =>
        builder.Services.PostConfigure<HealthCheckServiceOptions>(options =>
        {
            foreach (var registration in options.Registrations)
            {
                var make = registration.Factory;
                var resource = new Seen();
                registration.Factory = services => new Repeated(make(services), resource, services.GetRequiredService<TimeProvider>());
            }
        });

    private sealed class Seen
    {
        public volatile bool WasHealthy;
    }

    private sealed class Repeated(IHealthCheck check, Seen resource, TimeProvider time) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var started = time.GetTimestamp();
            while (true)
            {
                var result = await check.CheckHealthAsync(context, cancellationToken);
                resource.WasHealthy |= result.Status == HealthStatus.Healthy;
                if (result.Status == HealthStatus.Healthy || time.GetElapsedTime(started) > (resource.WasHealthy ? s_timeout : s_firstTimeout))
                {
                    return result;
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }
}
