using Polly;
using Polly.CircuitBreaker;

namespace OrderInventory.ServiceDefaults.Caching;

/// <summary>Whoever can do without Redis asks it through this: a Redis that is slow or away costs a few requests their timeout, and the others nothing.</summary>
public static class RedisBreaker
{
    /// <param name="opened">Told when Redis is left alone for a while.</param>
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
