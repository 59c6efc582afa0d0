using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Messaging.Kafka;

/// <summary>The service's one idempotent producer, made anew after an error from which librdkafka cannot go on.</summary>
internal sealed partial class EventProducer(IProducer<string, byte[]> first, MessagingOptions options, ILogger<EventProducer> logger) : IDisposable
{
    private IProducer<string, byte[]> _current = first;
    private volatile bool _broken;

    /// <summary>Called from the relay's loop only.</summary>
    public void Produce(string topic, Message<string, byte[]> message, Action<DeliveryReport<string, byte[]>> acknowledged)
    {
        if (_broken)
        {
            // Everything that the old one had in flight has been reported as failed and is still in the outbox.
            LogRenewed();
            _current.Dispose();
            _current = new ProducerBuilder<string, byte[]>(options.Producer).Build();
            _broken = false;
        }

        try
        {
            _current.Produce(topic, message, report =>
            {
                if (report.Error.IsFatal)
                {
                    _broken = true;
                }

                acknowledged(report);
            });
        }
        catch (KafkaException exception) when (exception.Error.IsFatal || exception.Error.Code == ErrorCode.Local_Fatal)
        {
            // It failed while nothing was in flight whose report would have said so.
            _broken = true;
            throw;
        }
    }

    public IAdminClient CreateAdminClient() => new DependentAdminClientBuilder(_current.Handle).Build();

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
        config.ReconnectBackoffMaxMs = 1000;
    }

    [SuppressMessage("Reliability", "CA2213", Justification = "Disposed below.")]
    public void Dispose() => _current.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "The producer met a fatal error and is made anew; unacknowledged events are published again")]
    private partial void LogRenewed();
}
