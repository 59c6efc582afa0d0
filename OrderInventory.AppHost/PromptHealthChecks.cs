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

    public static void AddPromptHealthChecks(this IDistributedApplicationBuilder builder) =>
        builder.Services.PostConfigure<HealthCheckServiceOptions>(options =>
        {
            foreach (var registration in options.Registrations)
            {
                var make = registration.Factory;
                registration.Factory = services => new Repeated(make(services), services.GetRequiredService<TimeProvider>());
            }
        });

    private sealed class Repeated(IHealthCheck check, TimeProvider time) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var started = time.GetTimestamp();
            while (true)
            {
                var result = await check.CheckHealthAsync(context, cancellationToken);
                if (result.Status == HealthStatus.Healthy || time.GetElapsedTime(started) > s_timeout)
                {
                    return result;
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }
}
