using Npgsql;
using Polly;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>
/// Retries a whole transaction that conflicted with another one: after a serialization failure or a deadlock. Only then is it certain that nothing
/// was committed; a change that is repeated after a lost answer could be made twice.
/// </summary>
public static class TransactionRetry
{
    /// <param name="time">For the pauses: about 5 ms, twice as long each time.</param>
    /// <param name="alsoAfter">Further SQLSTATEs after which the transaction is retried.</param>
    public static ResiliencePipeline Create(TimeProvider time, params string[] alsoAfter) => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new()
        {
            ShouldHandle = new PredicateBuilder().Handle<PostgresException>(exception =>
                exception.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected || alsoAfter.Contains(exception.SqlState)),
            MaxRetryAttempts = 5,
            Delay = TimeSpan.FromMilliseconds(5),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .Build();
}
