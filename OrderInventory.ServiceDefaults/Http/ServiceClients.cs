using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Calls from one service to another: this service's own token, short timeouts, one retry, a circuit breaker for each service that is called.</summary>
public static class ServiceClients
{
    /// <summary>The pause before the one retry. Long enough to notice that a replica that is shutting down has closed its connection.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Registers the typed client of a service. <see cref="IsUnavailable"/> recognises the exceptions that it throws for an unreachable service.
    /// </summary>
    /// <param name="services">Where the client is registered.</param>
    /// <param name="service">The service's name in service discovery.</param>
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
        // Inside the attempt, so that a provider that issues no token makes the attempt fail.
        client.AddHttpMessageHandler<ServiceTokenHandler>();
        return client;
    }

    /// <summary>
    /// The circuit breaker opens for two seconds when at least half of ten or more attempts within ten seconds have failed. The retry covers a
    /// few failures among many answers.
    /// </summary>
    public static void Configure<T>(CircuitBreakerStrategyOptions<T> breaker)
    {
        breaker.SamplingDuration = TimeSpan.FromSeconds(10);
        breaker.MinimumThroughput = 10;
        breaker.FailureRatio = 0.5;
        breaker.BreakDuration = TimeSpan.FromSeconds(2);
    }

    /// <summary>
    /// Whether a call failed because the service did not answer: it was unreachable or too slow, the circuit breaker was open, the connection
    /// broke during the answer, or this version cannot read the answer.
    /// </summary>
    /// <param name="exception">What the call threw.</param>
    /// <param name="cancellationToken">The caller's token: if it ended the call, the service is not the cause.</param>
    public static bool IsUnavailable(this Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or ExecutionRejectedException or IOException or JsonException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
