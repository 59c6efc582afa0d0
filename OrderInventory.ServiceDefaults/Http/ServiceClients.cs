using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Calls from one service to another: this service's own token, short timeouts, one retry, a circuit breaker for each service that is called.</summary>
public static class ServiceClients
{
    /// <summary>Between an attempt and its one retry. Long enough for the connection of a replica that is just going away to be noticed.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>Registers the typed client of a service. What an unreachable service makes it throw, <see cref="IsUnavailable"/> tells.</summary>
    /// <param name="services">Where it is registered.</param>
    /// <param name="service">The service's name, as service discovery knows it.</param>
    /// <param name="attempt">Longest time of one attempt.</param>
    /// <param name="total">Longest time of the call with its retry.</param>
    public static IHttpClientBuilder AddServiceClient<TClient>(this IServiceCollection services, string service, TimeSpan attempt, TimeSpan total)
        where TClient : class
    {
        var client = services.AddHttpClient<TClient>(http => http.BaseAddress = new($"http://{service}"));
        client.AddStandardResilienceHandler(options =>
        {
            options.AttemptTimeout.Timeout = attempt;
            options.TotalRequestTimeout.Timeout = total;
            options.Retry.MaxRetryAttempts = 1;
            options.Retry.Delay = RetryDelay;
            Configure(options.CircuitBreaker);
        });
        // Within the attempt: a provider that gives no token is one more reason for an attempt to fail.
        client.AddHttpMessageHandler<ServiceTokenHandler>();
        return client;
    }

    /// <summary>
    /// When a service is left alone, and for how long: at least half of ten or more attempts within ten seconds have failed; two seconds. A
    /// few failures among many answers are what the retry is for.
    /// </summary>
    public static void Configure<T>(CircuitBreakerStrategyOptions<T> breaker)
    {
        breaker.SamplingDuration = TimeSpan.FromSeconds(10);
        breaker.MinimumThroughput = 10;
        breaker.FailureRatio = 0.5;
        breaker.BreakDuration = TimeSpan.FromSeconds(2);
    }

    /// <summary>
    /// Whether a call failed because the service did not answer: unreachable, too slow, left alone by the circuit breaker for a while, gone in
    /// the middle of its answer, or answering what this version cannot read.
    /// </summary>
    /// <param name="exception">What the call threw.</param>
    /// <param name="cancellationToken">The caller's: when it is what ended the call, the service is not to blame.</param>
    public static bool IsUnavailable(this Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or ExecutionRejectedException or IOException or JsonException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
