using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// The service's idempotent producers, replaced after an error from which librdkafka cannot recover: one that sends at once, and one that collects
/// what nobody waits for, because a request to the broker costs much the same for one record as for fifty, and how long a producer collects is one
/// setting for all its topics. A topic always has the same one, so the order of a key's events on it holds.
/// </summary>
internal sealed partial class EventProducer(IProducer<string, byte[]> first, MessagingOptions options, ILogger<EventProducer> logger) : IDisposable
{
    private IProducer<string, byte[]> _current = first;
    private IProducer<string, byte[]>? _bulk;
    private volatile bool _broken;

    /// <summary>Called from the relay's loop only.</summary>
    /// <exception cref="KafkaException">It was not taken.</exception>
    public void Produce(string topic, Message<string, byte[]> message, Action<DeliveryReport<string, byte[]>> acknowledged)
    {
        try
        {
            Of(topic).Produce(topic, message, report =>
            {
                Look(report.Error);
                acknowledged(report);
            });
        }
        catch (KafkaException exception)
        {
            Look(exception.Error);
            throw;
        }
    }

    /// <summary>
    /// Replaces the producer if it is no longer usable. Called from the relay's loop between two rounds: a producer that is disposed
    /// of does not report what it has in flight, and a round waits for all its reports.
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

    /// <summary>The broker, or the client in its place, will never take this record.</summary>
    public static bool IsPermanent(Error error) => error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidMsg
        or ErrorCode.InvalidRecord or ErrorCode.RecordListTooLarge or ErrorCode.InvalidTimestamp or ErrorCode.PolicyViolation;

    /// <summary>
    /// An error that lasts until the configuration is corrected is logged at once and by name. A broker that is away is not: the components that wait for it log that.
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
        // A record is never given up by time: what fails by time can be overtaken by its successor. The relay's rows wait as long as the broker is away.
        config.MessageTimeoutMs = 0;
        config.LingerMs = 0;
        config.SocketNagleDisable = true;
        config.CompressionType = CompressionType.Lz4;
        config.StatisticsIntervalMs = 0;
        // Only whether it was taken: without this every report brings all headers back.
        config.DeliveryReportFields = "none";
        config.ReconnectBackoffMaxMs = 1000;
    }

    /// <summary>
    /// After a fatal error librdkafka fails everything with the code of that error, not with one that says 'fatal' (seen with 2.16). So
    /// whatever is not known to leave the producer alone makes it suspect; a new one costs little, an unusable one stops the outbox.
    /// </summary>
    private void Look(Error error)
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

    [LoggerMessage(Level = LogLevel.Error, Message = "The producer met an error that may be fatal and is made anew; unacknowledged events are published again")]
    private partial void LogRenewed();
}
