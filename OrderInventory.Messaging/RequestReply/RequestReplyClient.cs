using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.RequestReply;

/// <summary>What a client of <see cref="RequestReplyResponder{TRequest, TReply}"/> sends and reads.</summary>
/// <param name="Request">The question.</param>
/// <param name="ReplyTopic">Topic of the answers.</param>
/// <param name="ReplyJson">How an answer is read.</param>
/// <param name="DeadlineHeader">Header with the time, RFC 3339, after which nobody waits for the answer.</param>
/// <param name="Timeout">How long the client waits for the answer to a question.</param>
public sealed record RequestReplyCall<TRequest, TReply>(
    EventType<TRequest> Request, string ReplyTopic, JsonTypeInfo<TReply> ReplyJson, string DeadlineHeader, TimeSpan Timeout);

/// <summary>
/// Asks questions over Kafka. The replica's name is the key of question and answer. The client reads all partitions of the reply topic from
/// their ends, without a consumer group, and takes the answers with its key. An answer that nobody waits for any more is dropped.
/// </summary>
public abstract partial class RequestReplyClient<TRequest, TReply>(
    RequestReplyCall<TRequest, TReply> call, IServiceProvider services, TimeProvider time, ILogger logger) : BackgroundService
    where TReply : class
{
    private readonly MessagingOptions _options = services.GetRequiredService<MessagingOptions>();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<TReply>> _waiting = new();
    private readonly Lazy<IProducer<string, byte[]>> _producer = new(() => new ProducerBuilder<string, byte[]>(new ProducerConfig
    {
        LingerMs = 0,
        SocketNagleDisable = true,
        // A question is of no use after its deadline.
        MessageTimeoutMs = (int)call.Timeout.TotalMilliseconds,
        Acks = Acks.Leader,
    }.Take(services.GetRequiredService<MessagingOptions>().Kafka)).SetLogHandler((_, _) => { }).Build());

    /// <summary>Whether questions are asked at all; if not, no answers are read.</summary>
    protected abstract bool IsUsed { get; }

    /// <summary>Sends a question and waits for the answer until the token is cancelled.</summary>
    protected async Task<TReply> RequestAsync(TRequest question, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        var answer = new TaskCompletionSource<TReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            var now = time.GetUtcNow();
            _producer.Value.Produce(call.Request.Topic, new()
            {
                Key = _options.InstanceId,
                Value = call.Request.Serialize(question),
                Headers = EventHeaders.Create(
                    id, call.Request.Type, call.Request.Source, now, _options.InstanceId, id.ToString(),
                    (call.DeadlineHeader, (now + call.Timeout).UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
                    (EventHeaders.TraceParent, Activity.Current?.Id)),
            });
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => IsUsed
        ? Task.Factory.StartNew(() => Listen(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)
        : Task.CompletedTask;

    private void Listen(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var settings = _options.ConsumerSettings;
                settings.GroupInstanceId = null;
                settings.EnableAutoCommit = false;
                using var consumer = new ConsumerBuilder<string, byte[]>(settings).SetLogHandler((_, _) => { }).Build();
                Assign(consumer, stopping);
                while (!stopping.IsCancellationRequested)
                {
                    if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } record && record.Message.Key == _options.InstanceId)
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

    /// <summary>Assigns all partitions of the reply topic. The services create this topic with their other topics.</summary>
    private void Assign(IConsumer<string, byte[]> consumer, CancellationToken stopping)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        while (!stopping.IsCancellationRequested)
        {
            var topic = admin.GetMetadata(call.ReplyTopic, TimeSpan.FromSeconds(5)).Topics.FirstOrDefault();
            if (topic is { Error.IsError: false, Partitions.Count: > 0 })
            {
                consumer.Assign(topic.Partitions.Select(p => new TopicPartitionOffset(call.ReplyTopic, p.PartitionId, Offset.End)));
                return;
            }

            stopping.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
        }
    }

    private void Take(ConsumeResult<string, byte[]> record)
    {
        if (!Guid.TryParse(EventHeaders.Get(record.Message.Headers, EventHeaders.CausationId), out var id) || !_waiting.TryRemove(id, out var waiting))
        {
            return;
        }

        try
        {
            waiting.TrySetResult(JsonSerializer.Deserialize(record.Message.Value, call.ReplyJson) ?? throw new JsonException("The answer is null."));
        }
        catch (JsonException exception)
        {
            // Treated as if no answer had arrived: the caller times out.
            LogUnreadable(exception);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        if (_producer.IsValueCreated)
        {
            _producer.Value.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The consumer of answers restarts: {Reason}")]
    private partial void LogRestart(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An answer cannot be read")]
    private partial void LogUnreadable(Exception exception);
}
