using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// Reads this service's topics in batches on its own thread, because polling blocks. Rebalance callbacks run inside the poll, so no
/// partition is revoked unnoticed while a batch is being applied. Offsets are stored only after the batch's transaction has
/// committed; the client commits them in the background, and a crash before that only leads to duplicates, which the inbox drops.
/// </summary>
internal sealed partial class EventConsumer(
    InboxProcessor processor, KafkaTopics topics, MessagingOptions options, ConsumerState state, TimeProvider time, ILogger<EventConsumer> logger) : BackgroundService
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stopping)
    {
        try
        {
            topics.EnsureAsync(stopping).GetAwaiter().GetResult();
            while (!stopping.IsCancellationRequested)
            {
                Consume(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Runs one consumer until the service stops or an error occurs from which librdkafka cannot recover.</summary>
    private void Consume(CancellationToken stopping)
    {
        var rebootstrap = new BrokerRebootstrap(options.Kafka.BootstrapServers, time);
        using var consumer = Build(rebootstrap);
        try
        {
            state.Reads(consumer);
            consumer.Subscribe(options.ConsumedTopics);
            var batch = new List<EventRecord>(options.MaxBatch);
            var pace = new Pace(options.BatchInterval, time);
            while (!stopping.IsCancellationRequested)
            {
                Fill(batch, consumer, pace, stopping);
                if (batch.Count == 0)
                {
                    if (rebootstrap.RunWhenDue(consumer))
                    {
                        LogRebootstrapped();
                    }

                    continue;
                }

                processor.ProcessAsync(batch, stopping).GetAwaiter().GetResult();
                StoreOffsets(consumer, batch);
                batch.Clear();
            }
        }
        catch (Exception exception) when (exception is KafkaException || !stopping.IsCancellationRequested)
        {
            // Any exception is caught, because one that ended this loop would end the service. Records that are not committed are read again.
            LogRestart(exception, exception.Message);
            stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
        }
        finally
        {
            state.Reads(null);
            Close(consumer);
        }
    }

    /// <summary>Commits the stored offsets and leaves the group, so that other replicas take over immediately.</summary>
    private void Close(IConsumer<string, byte[]> consumer)
    {
        try
        {
            consumer.Close();
        }
        catch (KafkaException exception)
        {
            // After a fatal error the consumer cannot leave the group properly; the group removes it after the session timeout.
            LogError(exception.Error.Reason);
        }
    }

    private void Fill(List<EventRecord> batch, IConsumer<string, byte[]> consumer, Pace pace, CancellationToken stopping)
    {
        try
        {
            var record = consumer.Consume(s_poll);
            if (record is not null)
            {
                var rest = pace.Next();
                if (rest > TimeSpan.Zero)
                {
                    stopping.WaitHandle.WaitOne(rest);
                }
            }

            while (record is not null)
            {
                batch.Add(EventRecord.From(record));
                if (batch.Count == options.MaxBatch)
                {
                    return;
                }

                record = consumer.Consume(TimeSpan.Zero);
            }
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            // For example a topic that is briefly unavailable: the client continues by itself, and the records read before are valid.
            LogError(exception.Error.Reason);
        }
    }

    private void StoreOffsets(IConsumer<string, byte[]> consumer, List<EventRecord> batch)
    {
        foreach (var partition in batch.GroupBy(r => (r.Topic, r.Partition)))
        {
            var next = new TopicPartitionOffset(partition.Key.Topic, partition.Key.Partition!.Value, partition.Max(r => r.Offset!.Value) + 1);
            state.Handled(next);
            try
            {
                consumer.StoreOffset(next);
            }
            catch (KafkaException exception) when (exception.Error.Code is ErrorCode.Local_State)
            {
                // The partition has moved to another replica, which reads these records again and drops them.
                LogNotStored(next.Topic, next.Partition);
            }
        }
    }

    private IConsumer<string, byte[]> Build(BrokerRebootstrap rebootstrap) => new ConsumerBuilder<string, byte[]>(options.Consumer)
        .SetKeyDeserializer(LenientKey.Instance)
        .SetPartitionsAssignedHandler((_, partitions) =>
        {
            state.Assigned();
            rebootstrap.Progressed();
            LogAssigned(partitions.Count);
        })
        .SetPartitionsRevokedHandler((_, _) => rebootstrap.Stalled())
        .SetErrorHandler((_, error) =>
        {
            if (error.Code is ErrorCode.Local_AllBrokersDown)
            {
                state.BrokerLost();
            }

            LogError(error.Reason);
        })
        .SetLogHandler((_, message) => LogClient(message.Facility, message.Message))
        .Build();

    public static void Configure(ConsumerConfig config, string group)
    {
        config.GroupId = group;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.EnableAutoOffsetStore = false;
        config.EnableAutoCommit = true;
        config.AutoCommitIntervalMs = 1000;
        // A killed replica's partitions are reassigned after this time; with Kafka's default, after 45 s.
        config.SessionTimeoutMs = 8000;
        config.HeartbeatIntervalMs = 2000;
        config.SocketNagleDisable = true;
        config.StatisticsIntervalMs = 0;
        config.ReconnectBackoffMaxMs = 1000;
        config.AllowAutoCreateTopics = true;
    }

    /// <summary>A key that is not UTF-8 must not stop the partition: the record is poison for other reasons, or its key does not matter.</summary>
    private sealed class LenientKey : IDeserializer<string>
    {
        public static readonly LenientKey Instance = new();

        public string Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) =>
            isNull ? "" : System.Text.Encoding.UTF8.GetString(data);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} partitions assigned")]
    private partial void LogAssigned(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The consumer restarts: {Reason}")]
    private partial void LogRestart(Exception exception, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The consumer has waited too long for a broker; it reconnects to the configured brokers")]
    private partial void LogRebootstrapped();

    [LoggerMessage(Level = LogLevel.Information, Message = "The offset of {Topic} [{Partition}] was not stored: the partition has another owner now")]
    private partial void LogNotStored(string topic, int partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka: {Reason}")]
    private partial void LogError(string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "librdkafka {Facility}: {Message}")]
    private partial void LogClient(string facility, string message);
}

/// <summary>
/// The consumer's readiness: ready after the first assignment, even an empty one. A broker that is lost later only degrades the service.
/// </summary>
internal sealed class ConsumerState : IHealthCheck
{
    private readonly MessagingOptions _options;
    private readonly ConcurrentDictionary<TopicPartition, long> _next = new();
    private readonly Lock _reading = new();
    private IConsumer<string, byte[]>? _consumer;
    private volatile bool _assigned;
    private volatile bool _lost;

    public ConsumerState(MessagingOptions options)
    {
        _options = options;
        MessagingTelemetry.ObserveLag(Lag);
    }

    /// <summary>Sets the consumer whose lag is measured. Pass null before closing it: when this returns, the consumer is no longer used.</summary>
    public void Reads(IConsumer<string, byte[]>? consumer)
    {
        lock (_reading)
        {
            _consumer = consumer;
            _next.Clear();
        }
    }

    /// <summary>The effects of the records before this offset are committed.</summary>
    public void Handled(TopicPartitionOffset next) => _next[next.TopicPartition] = next.Offset;

    /// <summary>Records in this replica's partitions whose effects are not committed, as far as the client knows the partitions' ends.</summary>
    private IEnumerable<Measurement<long>> Lag()
    {
        // Locked, so that the consumer is not closed meanwhile: reading librdkafka's freed memory would end the process.
        lock (_reading)
        {
            if (_consumer is not { } consumer)
            {
                return [];
            }

            try
            {
                return
                [
                    .. consumer.Assignment.GroupBy(partition => partition.Topic).Select(topic => new Measurement<long>(
                        topic.Sum(partition => _next.TryGetValue(partition, out var next) ? Math.Max(0, consumer.GetWatermarkOffsets(partition).High.Value - next) : 0),
                        new KeyValuePair<string, object?>("messaging.destination.name", topic.Key))),
                ];
            }
            catch (KafkaException)
            {
                return [];
            }
        }
    }

    public void Assigned()
    {
        _assigned = true;
        _lost = false;
    }

    public void BrokerLost() => _lost = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!_assigned)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy("The consumer has not been assigned any partitions yet."));
        }

        if (_lost)
        {
            try
            {
                using var admin = _options.CreateAdminClient();
                admin.GetMetadata(TimeSpan.FromMilliseconds(500));
                _lost = false;
            }
            catch (KafkaException)
            {
                return Task.FromResult(HealthCheckResult.Degraded("The broker does not answer; events wait in the outbox."));
            }
        }

        return Task.FromResult(HealthCheckResult.Healthy());
    }
}
