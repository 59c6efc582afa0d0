using Polly;
using Polly.CircuitBreaker;

namespace OrderInventory.ServiceDefaults.Caching;

/// <summary>
/// A circuit breaker for optional uses of Redis: a slow or unavailable Redis costs a few requests their timeout, and the others nothing.
/// </summary>
public static class RedisBreaker
{
    /// <param name="opened">Called when the breaker opens, that is, when Redis is not used for a while.</param>
    public static ResiliencePipeline Create(Action? opened = null) => new ResiliencePipelineBuilder()
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = 0.5,
            MinimumThroughput = 5,
            SamplingDuration = TimeSpan.FromSeconds(5),
            BreakDuration = TimeSpan.FromSeconds(2),
            OnOpened = _ =>
            {
                opened?.Invoke();
                return default;
            },
        })
        .Build();
}
