using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace OrderInventory.Orders.Clients;

/// <summary>
/// The stock check as a question and an answer over Kafka. This replica's name is the key of both; it reads all partitions of the
/// answers from their ends, without a group, and takes those with its key. An answer that nobody waits for any more is dropped. Timeout,
/// one retry and a circuit breaker as for the call by HTTP.
/// </summary>
internal sealed partial class KafkaStockCheck(
    IOptions<OrdersOptions> options, MessagingOptions messaging, IConfiguration configuration, TimeProvider time, ILogger<KafkaStockCheck> logger) : BackgroundService
{
    private static readonly TimeSpan s_attempt = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_total = TimeSpan.FromSeconds(1.5);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<StockCheckReplied>> _waiting = new();
    private readonly Lazy<IProducer<string, byte[]>> _producer = new(() => new ProducerBuilder<string, byte[]>(new ProducerConfig
    {
        BootstrapServers = configuration.GetConnectionString("kafka"),
        LingerMs = 0,
        SocketNagleDisable = true,
        // A question is of no use after its deadline.
        MessageTimeoutMs = (int)s_attempt.TotalMilliseconds,
        Acks = Acks.Leader,
    }).SetLogHandler((_, _) => { }).Build());

    private readonly ResiliencePipeline<StockCheckReplied> _pipeline = new ResiliencePipelineBuilder<StockCheckReplied> { TimeProvider = time }
        .AddTimeout(s_total)
        .AddRetry(new RetryStrategyOptions<StockCheckReplied>
        {
            ShouldHandle = new PredicateBuilder<StockCheckReplied>().Handle<TimeoutRejectedException>().Handle<KafkaException>(),
            MaxRetryAttempts = 1,
            Delay = TimeSpan.FromMilliseconds(50),
        })
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<StockCheckReplied>
        {
            ShouldHandle = new PredicateBuilder<StockCheckReplied>().Handle<TimeoutRejectedException>().Handle<KafkaException>(),
            SamplingDuration = TimeSpan.FromSeconds(5),
            MinimumThroughput = 10,
            FailureRatio = 0.5,
            BreakDuration = TimeSpan.FromSeconds(2),
        })
        .AddTimeout(s_attempt)
        .Build();

    /// <summary>Whether the lines could be reserved now.</summary>
    public async Task<StockCheck> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        try
        {
            return StockCheck.Of(await _pipeline.ExecuteAsync(async stop => await AskAsync(question, stop), cancellationToken));
        }
        catch (Exception exception) when (exception is ExecutionRejectedException or KafkaException)
        {
            LogUnknown(exception.Message);
            return StockCheck.Unknown;
        }
    }

    private async Task<StockCheckReplied> AskAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        var answer = new TaskCompletionSource<StockCheckReplied>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            var now = time.GetUtcNow();
            var headers = new Headers();
            Add(headers, "ce_specversion", "1.0");
            Add(headers, "ce_id", id.ToString());
            Add(headers, "ce_type", StockCheckRequested.Type);
            Add(headers, "ce_source", "/orders");
            Add(headers, "ce_time", now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            Add(headers, "ce_subject", messaging.InstanceId);
            Add(headers, "ce_correlationid", id.ToString());
            Add(headers, StockCheckRequested.DeadlineHeader, (now + s_attempt).UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            Add(headers, "content-type", "application/json");
            if (Activity.Current?.Id is { } trace)
            {
                Add(headers, "traceparent", trace);
            }

            _producer.Value.Produce(StockCheckRequested.Topic, new()
            {
                Key = messaging.InstanceId,
                Value = JsonSerializer.SerializeToUtf8Bytes(question, EventsJson.Default.StockCheckRequested),
                Headers = headers,
            });
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    /// <summary>Reads answers, when the check goes by Kafka at all.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Value.StockCheck == StockCheckMode.Kafka
        ? Task.Factory.StartNew(() => Listen(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)
        : Task.CompletedTask;

    private void Listen(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var settings = messaging.ConsumerSettings;
                settings.GroupInstanceId = null;
                settings.EnableAutoCommit = false;
                using var consumer = new ConsumerBuilder<string, byte[]>(settings).SetLogHandler((_, _) => { }).Build();
                Assign(consumer, stopping);
                while (!stopping.IsCancellationRequested)
                {
                    if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } record && record.Message.Key == messaging.InstanceId)
                    {
                        Take(record);
                    }
                }
            }
            catch (KafkaException exception)
            {
                LogRestart(exception.Error.Reason);
                stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>All partitions that the topic has; the services make it with their other topics.</summary>
    private static void Assign(IConsumer<string, byte[]> consumer, CancellationToken stopping)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        while (!stopping.IsCancellationRequested)
        {
            var topic = admin.GetMetadata(StockCheckReplied.Topic, TimeSpan.FromSeconds(5)).Topics.FirstOrDefault();
            if (topic is { Error.IsError: false, Partitions.Count: > 0 })
            {
                consumer.Assign(topic.Partitions.Select(p => new TopicPartitionOffset(StockCheckReplied.Topic, p.PartitionId, Offset.End)));
                return;
            }

            stopping.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
        }
    }

    private void Take(ConsumeResult<string, byte[]> record)
    {
        if (record.Message.Headers.TryGetLastBytes("ce_causationid", out var cause)
            && Guid.TryParse(Encoding.UTF8.GetString(cause), out var id) && _waiting.TryRemove(id, out var waiting))
        {
            try
            {
                waiting.TrySetResult(JsonSerializer.Deserialize(record.Message.Value, EventsJson.Default.StockCheckReplied)
                    ?? throw new JsonException("The answer is null."));
            }
            catch (JsonException exception)
            {
                // As if it had not come: the one who waits gives up in time.
                LogUnreadable(exception);
            }
        }
    }

    private static void Add(Headers headers, string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));

    public override void Dispose()
    {
        base.Dispose();
        if (_producer.IsValueCreated)
        {
            _producer.Value.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer the stock check by Kafka: {Reason}")]
    private partial void LogUnknown(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The consumer of stock check answers starts anew: {Reason}")]
    private partial void LogRestart(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An answer to a stock check cannot be read")]
    private partial void LogUnreadable(Exception exception);
}
