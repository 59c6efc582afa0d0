using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>How much work a service accepts at a time, from the section <c>Admission</c>.</summary>
internal sealed class AdmissionOptions
{
    /// <summary>Requests that are worked on at the same time.</summary>
    public int Concurrent { get; set; } = 64;

    /// <summary>Requests that wait for their turn, oldest first; the next one is refused.</summary>
    public int Queued { get; set; } = 256;

    /// <summary>
    /// The longest wait in the queue; after it the request is refused too, so that admitted requests are answered soon even under overload.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>
/// Limits concurrent requests. An overloaded service refuses the excess with 503 and Retry-After: an admitted request waits behind a bounded
/// number of others, and nothing piles up in memory. Health checks are always answered.
/// </summary>
public static class Admission
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    public static IApplicationBuilder UseAdmission(this WebApplication app)
    {
        var options = app.Configuration.GetSection("Admission").Get<AdmissionOptions>() ?? new();
        if (options.Concurrent < 1 || options.Queued < 0 || options.MaxWait <= TimeSpan.Zero || options.MaxWait > s_longestWait)
        {
            throw new InvalidOperationException(
                $"Admission: Concurrent must be at least 1, Queued at least 0, and MaxWait more than 0 and at most {s_longestWait}, not {options.Concurrent}, {options.Queued} and {options.MaxWait}.");
        }

        var limiter = new ConcurrencyLimiter(new()
        {
            PermitLimit = options.Concurrent,
            QueueLimit = options.Queued,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        app.Lifetime.ApplicationStopped.Register(limiter.Dispose);
        return app.UseWhen(http => http.Request.Path.StartsWithSegments("/api"), api => api.Use(async (http, next) =>
        {
            using var lease = await AcquireAsync(limiter, options.MaxWait, http.RequestAborted);
            if (lease is { IsAcquired: true })
            {
                http.Features.Set(lease);
                await next(http);
            }
            else
            {
                http.Response.Headers.RetryAfter = "1";
                await Problems.Of(
                    "overloaded", "The service is overloaded.", StatusCodes.Status503ServiceUnavailable,
                    "Nothing was changed. Try again after Retry-After seconds.").ExecuteAsync(http);
            }
        }));
    }

    /// <returns>Null when its turn did not come in time.</returns>
    private static async ValueTask<RateLimitLease?> AcquireAsync(ConcurrencyLimiter limiter, TimeSpan maxWait, CancellationToken aborted)
    {
        var lease = limiter.AttemptAcquire();
        if (lease.IsAcquired)
        {
            return lease;
        }

        lease.Dispose();
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        turn.CancelAfter(maxWait);
        try
        {
            return await limiter.AcquireAsync(1, turn.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Releases the request's slot: from here on the request only waits, so another one may be admitted.</summary>
    public static void LeaveAdmission(this HttpContext http) => http.Features.Get<RateLimitLease>()?.Dispose();
}
