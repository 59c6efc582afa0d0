using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.RequestReply;

/// <summary>What a responder reads and writes.</summary>
/// <param name="Topic">Topic of the requests.</param>
/// <param name="Type">Their CloudEvents type; others are skipped and counted.</param>
/// <param name="Json">How their data is read.</param>
/// <param name="Validate">What is wrong with the data, or null.</param>
/// <param name="DeadlineHeader">Header with the time, RFC 3339, after which nobody waits for the answer.</param>
/// <param name="Reply">The answer; its Kafka key is the request's.</param>
public sealed record RequestReply<TRequest, TReply>(
    string Topic, string Type, JsonTypeInfo<TRequest> Json, Func<TRequest, string?> Validate, string DeadlineHeader, EventType<TReply> Reply);

/// <summary>
/// Answers questions over Kafka. It uses no inbox and no outbox: an answer is advice, and the caller asks again or goes on without it. So it
/// starts at the end of the topic, commits automatically, and drops questions that nobody waits for any more. It never makes the service
/// unready.
/// </summary>
public abstract partial class RequestReplyResponder<TRequest, TReply>(
    RequestReply<TRequest, TReply> contract, IServiceProvider services, TimeProvider time, ILogger logger) : BackgroundService
    where TRequest : class
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1);

    /// <summary>Answers the requests of one polled batch, in their order.</summary>
    protected abstract Task<IReadOnlyList<TReply>> AnswerAsync(IReadOnlyList<TRequest> requests, CancellationToken cancellationToken);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stopping)
    {
        var options = services.GetRequiredService<MessagingOptions>();
        try
        {
            services.GetRequiredService<KafkaTopics>().EnsureAsync(stopping).GetAwaiter().GetResult();
            using var producer = new ProducerBuilder<string, byte[]>(ProducerConfig(options)).SetErrorHandler((_, error) => LogError(error.Reason)).Build();
            while (!stopping.IsCancellationRequested)
            {
                Consume(options, producer, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Runs one consumer until the service stops or an error occurs from which librdkafka cannot recover.</summary>
    private void Consume(MessagingOptions options, IProducer<string, byte[]> producer, CancellationToken stopping)
    {
        var rebootstrap = new BrokerRebootstrap(options.Kafka.BootstrapServers, time);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(ConsumerConfig(options))
            .SetPartitionsAssignedHandler((_, _) => rebootstrap.Progressed())
            .SetPartitionsRevokedHandler((_, _) => rebootstrap.Stalled())
            .SetErrorHandler((_, error) => LogError(error.Reason))
            .Build();
        try
        {
            consumer.Subscribe(contract.Topic);
            var batch = new List<ConsumeResult<byte[], byte[]>>(options.MaxBatch);
            while (!stopping.IsCancellationRequested)
            {
                Fill(batch, consumer, options.MaxBatch);
                if (batch.Count > 0)
                {
                    Answer(batch, producer, stopping);
                    batch.Clear();
                }
                else
                {
                    rebootstrap.RunWhenDue(consumer, producer);
                }
            }
        }
        catch (KafkaException exception)
        {
            LogError(exception.Error.Reason);
            stopping.WaitHandle.WaitOne(s_rest);
        }
        finally
        {
            Close(consumer);
        }
    }

    private void Close(IConsumer<byte[], byte[]> consumer)
    {
        try
        {
            consumer.Close();
        }
        catch (KafkaException exception)
        {
            LogError(exception.Error.Reason);
        }
    }

    private void Fill(List<ConsumeResult<byte[], byte[]>> batch, IConsumer<byte[], byte[]> consumer, int most)
    {
        try
        {
            for (var record = consumer.Consume(s_poll); record is not null; record = consumer.Consume(TimeSpan.Zero))
            {
                batch.Add(record);
                if (batch.Count == most)
                {
                    return;
                }
            }
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            // For example a topic that does not exist yet: the client continues by itself.
            LogError(exception.Error.Reason);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "The requests of a failed batch get no answer, and the next batch is processed.")]
    private void Answer(List<ConsumeResult<byte[], byte[]>> batch, IProducer<string, byte[]> producer, CancellationToken stopping)
    {
        var questions = batch.Select(Read).OfType<Question>().ToList();
        if (questions.Count == 0)
        {
            return;
        }

        try
        {
            var answers = AnswerAsync([.. questions.Select(question => question.Data)], stopping).GetAwaiter().GetResult();
            for (var i = 0; i < questions.Count; i++)
            {
                questions[i].Span?.Dispose();
                producer.Produce(contract.Reply.Topic, Reply(questions[i], answers[i]));
            }

            ResponderTelemetry.Answered.Add(questions.Count);
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            LogFailed(exception, questions.Count);
            ResponderTelemetry.Drop("failed", questions.Count);
            questions.ForEach(question => question.Span?.Dispose());
        }
    }

    /// <summary>The question in a record, or null when it cannot be read or nobody waits for it any more.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A check that fails because of the data means that the data is wrong.")]
    private Question? Read(ConsumeResult<byte[], byte[]> record)
    {
        var headers = record.Message.Headers;
        if (EventHeaders.Get(headers, EventHeaders.Type) is not { } type || EventHeaders.Get(headers, EventHeaders.Id) is not { } id)
        {
            return Drop("poison");
        }

        if (type != contract.Type)
        {
            return Drop("type");
        }

        // A deadline that cannot be read is poison too: it breaks the contract.
        if (EventHeaders.Get(headers, contract.DeadlineHeader) is { } text)
        {
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var deadline))
            {
                return Drop("poison");
            }

            if (deadline < time.GetUtcNow())
            {
                return Drop("late");
            }
        }

        try
        {
            if (JsonSerializer.Deserialize(record.Message.Value ?? [], contract.Json) is not { } data || contract.Validate(data) is not null)
            {
                return Drop("poison");
            }

            var (traceParent, traceState) = (EventHeaders.Get(headers, EventHeaders.TraceParent), EventHeaders.Get(headers, EventHeaders.TraceState));
            var span = MessagingTelemetry.TryGetRecorded(traceParent, traceState, out var parent)
                ? MessagingTelemetry.Source.StartActivity($"answer {contract.Topic}", ActivityKind.Consumer, parent)
                : null;
            // One query answers many questions, so it belongs to none of their traces.
            Activity.Current = null;
            return new(
                id, Encoding.UTF8.GetString(record.Message.Key ?? []), EventHeaders.Get(headers, EventHeaders.CorrelationId) ?? id,
                span?.Id ?? traceParent, traceState, span, data);
        }
        catch (Exception exception)
        {
            LogPoison(exception.Message);
            return Drop("poison");
        }
    }

    private static Question? Drop(string why)
    {
        ResponderTelemetry.Drop(why, 1);
        return null;
    }

    private Message<string, byte[]> Reply(Question question, TReply answer) => new()
    {
        Key = question.Key,
        Value = contract.Reply.Serialize(answer),
        Headers = EventHeaders.Create(
            Guid.CreateVersion7(), contract.Reply.Type, contract.Reply.Source, time.GetUtcNow(), question.Key, question.CorrelationId,
            (EventHeaders.CausationId, question.Id), (EventHeaders.TraceParent, question.TraceParent), (EventHeaders.TraceState, question.TraceState)),
    };

    private static ConsumerConfig ConsumerConfig(MessagingOptions options)
    {
        var config = options.ConsumerSettings;
        config.GroupId = options.Group + ".responder";
        config.GroupInstanceId = null;
        // Nobody waits for answers to questions from before the group existed.
        config.AutoOffsetReset = AutoOffsetReset.Latest;
        config.EnableAutoOffsetStore = true;
        return config;
    }

    private static ProducerConfig ProducerConfig(MessagingOptions options) => new ProducerConfig
    {
        Acks = Acks.Leader,
        LingerMs = 0,
        // An answer that is delayed by an unavailable broker is of no use.
        MessageTimeoutMs = 2000,
        SocketNagleDisable = true,
        StatisticsIntervalMs = 0,
        ReconnectBackoffMaxMs = 1000,
    }.Take(options.Kafka);

    private sealed record Question(string Id, string Key, string CorrelationId, string? TraceParent, string? TraceState, Activity? Span, TRequest Data);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka: {Reason}")]
    private partial void LogError(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} requests were not answered")]
    private partial void LogFailed(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request cannot be read: {Reason}")]
    private partial void LogPoison(string reason);
}

internal static class ResponderTelemetry
{
    private static readonly Meter s_meter = new(MessagingTelemetry.Name);
    private static readonly Counter<long> s_dropped =
        s_meter.CreateCounter<long>("messaging.requests.dropped", "{request}", "Requests without an answer: late, poison, of another type, or failed");

    public static readonly Counter<long> Answered = s_meter.CreateCounter<long>("messaging.requests.answered", "{request}", "Requests that were answered");

    public static void Drop(string why, int count) => s_dropped.Add(count, new KeyValuePair<string, object?>("reason", why));
}
