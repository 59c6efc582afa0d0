using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// The service's two idempotent producers: one sends immediately, the other collects events that nobody waits for, because a request to the broker
/// costs about the same for one record as for fifty. There are two because a producer's linger time applies to all its topics. A topic always uses
/// the same producer, so the order of a key's events is kept. Producers are replaced after an error from which librdkafka cannot recover.
/// </summary>
internal sealed partial class EventProducer(IProducer<string, byte[]> first, MessagingOptions options, ILogger<EventProducer> logger) : IDisposable
{
    private IProducer<string, byte[]> _current = first;
    private IProducer<string, byte[]>? _bulk;
    private volatile bool _broken;

    /// <summary>Called from the relay's loop only.</summary>
    /// <exception cref="KafkaException">The producer did not accept the message.</exception>
    public void Produce(string topic, Message<string, byte[]> message, Action<DeliveryReport<string, byte[]>> acknowledged)
    {
        try
        {
            Of(topic).Produce(topic, message, report =>
            {
                CheckError(report.Error);
                acknowledged(report);
            });
        }
        catch (KafkaException exception)
        {
            CheckError(exception.Error);
            throw;
        }
    }

    /// <summary>
    /// Replaces the producers if they are no longer usable. Called from the relay's loop between two rounds: a producer that is disposed
    /// of does not report on its messages in flight, and a round waits for all reports.
    /// </summary>
    public void RenewIfBroken()
    {
        if (_broken)
        {
            LogRenewed();
            Dispose();
            _bulk = null;
            _current = Build(options.Producer);
            _broken = false;
        }
    }

    /// <summary>For <see cref="BrokerRebootstrap"/>.</summary>
    public IReadOnlyList<IClient> Clients => _bulk is null ? [_current] : [_current, _bulk];

    /// <summary>Whether the broker, or the client before it, will never accept this record.</summary>
    public static bool IsPermanent(Error error) => error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidMsg
        or ErrorCode.InvalidRecord or ErrorCode.RecordListTooLarge or ErrorCode.InvalidTimestamp or ErrorCode.PolicyViolation;

    /// <summary>
    /// Logs errors that last until the configuration is corrected, immediately and by name. An unavailable broker is not logged here but by the
    /// components that wait for it.
    /// </summary>
    public static Action<IProducer<string, byte[]>, Error> ErrorHandler(ILogger<EventProducer> logger) => (_, error) =>
    {
        if (error.Code is ErrorCode.Local_Authentication or ErrorCode.Local_Ssl)
        {
            LogMisconfigured(logger, error.Reason);
        }
    };

    public static void Configure(ProducerConfig config)
    {
        config.EnableIdempotence = true;
        config.Acks = Acks.All;
        // No record times out: a record that did could be overtaken by its successor. The relay's rows wait as long as the broker is unavailable.
        config.MessageTimeoutMs = 0;
        config.LingerMs = 0;
        config.SocketNagleDisable = true;
        config.CompressionType = CompressionType.Lz4;
        config.StatisticsIntervalMs = 0;
        // Reports say only whether a record was accepted; by default every report returns all headers.
        config.DeliveryReportFields = "none";
        config.ReconnectBackoffMaxMs = 1000;
    }

    /// <summary>
    /// After a fatal error librdkafka fails every record with the code of that error, not with a code that says 'fatal' (seen with 2.16). So
    /// every error that is not known to be harmless marks the producer as broken: a new one costs little, an unusable one stops the outbox.
    /// </summary>
    private void CheckError(Error error)
    {
        if (error.IsError && !IsPermanent(error) && error.Code is not (ErrorCode.Local_QueueFull or ErrorCode.Local_UnknownTopic
            or ErrorCode.Local_UnknownPartition or ErrorCode.UnknownTopicOrPart or ErrorCode.TopicAuthorizationFailed))
        {
            _broken = true;
        }
    }

    [SuppressMessage("Reliability", "CA2213", Justification = "Disposed below.")]
    public void Dispose()
    {
        _current.Dispose();
        _bulk?.Dispose();
    }

    private IProducer<string, byte[]> Of(string topic) => options.BulkTopics.Contains(topic)
        ? _bulk ??= Build(options.BulkProducer)
        : _current;

    private IProducer<string, byte[]> Build(ProducerConfig config) => new ProducerBuilder<string, byte[]>(config).SetErrorHandler(ErrorHandler(logger)).Build();

    [LoggerMessage(Level = LogLevel.Error, Message = "Kafka refuses this service as it is configured: {Reason}")]
    private static partial void LogMisconfigured(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The producer had a possibly fatal error and is recreated; unacknowledged events are published again")]
    private partial void LogRenewed();
}
