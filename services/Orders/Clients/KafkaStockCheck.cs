using Confluent.Kafka;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.RequestReply;
using OrderInventory.ServiceDefaults.Http;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace OrderInventory.Orders.Clients;

/// <summary>The stock check as a question and an answer over Kafka, with timeout, one retry and a circuit breaker as for the HTTP call.</summary>
internal sealed partial class KafkaStockCheck(IOptions<OrdersOptions> options, IServiceProvider services, TimeProvider time, ILogger<KafkaStockCheck> logger)
    : RequestReplyClient<StockCheckRequested, StockCheckReplied>(
        new(OrderEvents.StockCheckRequested, StockCheckReplied.Topic, EventsJson.Default.StockCheckReplied, StockCheckRequested.DeadlineHeader, s_attempt),
        services, time, logger), IStockCheck
{
    private static readonly TimeSpan s_attempt = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_total = TimeSpan.FromSeconds(1.5);

    private readonly ILogger _logger = logger;
    private readonly ResiliencePipeline<StockCheckReplied> _pipeline = new ResiliencePipelineBuilder<StockCheckReplied> { TimeProvider = time }
        .AddTimeout(s_total)
        .AddRetry(new RetryStrategyOptions<StockCheckReplied>
        {
            ShouldHandle = NoAnswer(),
            MaxRetryAttempts = 1,
            Delay = ServiceClients.RetryDelay,
        })
        .AddCircuitBreaker(Breaker())
        .AddTimeout(s_attempt)
        .Build();

    protected override bool IsUsed => options.Value.StockCheck == StockCheckMode.Kafka;

    public async Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        try
        {
            return await _pipeline.ExecuteAsync(async stop => await RequestAsync(question, stop), cancellationToken);
        }
        catch (Exception exception) when (exception is ExecutionRejectedException or KafkaException)
        {
            LogUnknown(_logger, exception.Message);
            return null;
        }
    }

    private static CircuitBreakerStrategyOptions<StockCheckReplied> Breaker()
    {
        var breaker = new CircuitBreakerStrategyOptions<StockCheckReplied> { ShouldHandle = NoAnswer() };
        ServiceClients.Configure(breaker);
        return breaker;
    }

    private static PredicateBuilder<StockCheckReplied> NoAnswer() => new PredicateBuilder<StockCheckReplied>().Handle<TimeoutRejectedException>().Handle<KafkaException>();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer the stock check over Kafka: {Reason}")]
    private static partial void LogUnknown(ILogger logger, string reason);
}
