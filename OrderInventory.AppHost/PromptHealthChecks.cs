using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrderInventory.AppHost;

/// <summary>
/// Aspire asks a resource that is not healthy yet after 1, 2, 3, 4, then every 5 seconds (ResourceHealthCheckService, tag v13.6.x), and whoever waits
/// for the resource starts only then. So a check that fails is repeated here, several times a second, before Aspire is told.
/// </summary>
internal static class PromptHealthChecks
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>After this Aspire is told that the resource is not healthy, so that the dashboard shows it and says why.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    /// <summary>The same before it was healthy for the first time: between two checks Aspire waits, and a start would wait with it.</summary>
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
