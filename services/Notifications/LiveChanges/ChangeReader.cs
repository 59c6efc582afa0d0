using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Notifications.LiveChanges;

/// <summary>
/// Reads the topics of orders and stock into the <see cref="ChangeBuffer"/>, from their ends and without a consumer group: each replica reads all
/// changes. It reads only while somebody listens, or did a few minutes ago, so that a system without listeners bears no cost.
/// </summary>
internal sealed partial class ChangeReader(ChangeBuffer buffer, MessagingOptions messaging, TimeProvider time, ILogger<ChangeReader> logger) : BackgroundService
{
    /// <summary>How long changes are kept for a listener that reconnects.</summary>
    public static readonly TimeSpan KeepTime = TimeSpan.FromMinutes(5);

    private static readonly Dictionary<string, string> s_events = new()
    {
        [OrderCreated.Topic] = OrderCreated.Type,
        [OrderUpdated.Topic] = OrderUpdated.Type,
        [InventoryUpdated.Topic] = InventoryUpdated.Type,
    };

    private readonly Lock _lock = new();
    private int _listeners;
    private long _lastLeft;
    private TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _brokerIsLost;

    /// <summary>Whether the broker does not answer. Changes made meanwhile are sent when it answers again.</summary>
    public bool IsStale => _brokerIsLost;

    /// <summary>Completes when reading has started: from then on no change is missed.</summary>
    public Task Reading
    {
        get
        {
            lock (_lock)
            {
                return _reading.Task;
            }
        }
    }

    /// <summary>Registers a listener until the result is disposed.</summary>
    public IDisposable Listen()
    {
        lock (_lock)
        {
            _listeners++;
            _wanted.TrySetResult();
        }

        return new Listener(this);
    }

    public int Listeners
    {
        get
        {
            lock (_lock)
            {
                return _listeners;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await _wanted.Task.WaitAsync(stoppingToken);
            await Task.Factory.StartNew(() => Read(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    private void Read(CancellationToken stopping)
    {
        try
        {
            var settings = messaging.ConsumerSettings;
            settings.GroupInstanceId = null;
            settings.EnableAutoCommit = false;
            using var consumer = new ConsumerBuilder<string, byte[]>(settings)
                .SetErrorHandler((_, error) => OnError(error))
                .SetLogHandler((_, _) => { }).Build();
            using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
            var rebootstrap = new BrokerRebootstrap(settings.BootstrapServers, time);
            Assign(consumer, admin, stopping);
            rebootstrap.Progressed();
            // Changes were not read during the pause, so those before it and those from now on must not be in one series.
            buffer.Restart();
            lock (_lock)
            {
                _reading.TrySetResult();
            }

            while (!stopping.IsCancellationRequested && !IsOver())
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } record && ToChange(record) is { } change)
                {
                    buffer.Add(change);
                }

                if (_brokerIsLost)
                {
                    CheckBroker(consumer, admin, rebootstrap);
                }
            }
        }
        catch (KafkaException exception)
        {
            LogRestart(exception.Error.Reason);
            OnError(exception.Error);
            lock (_lock)
            {
                _reading = _reading.Task.IsCompleted ? new(TaskCreationOptions.RunContinuationsAsynchronously) : _reading;
            }

            stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Assigns the partitions at their current ends, so that records that arrive during the assignment are read too.</summary>
    private static void Assign(IConsumer<string, byte[]> consumer, IAdminClient admin, CancellationToken stopping)
    {
        var ends = new List<TopicPartitionOffset>();
        foreach (var topic in s_events.Keys)
        {
            TopicMetadata? found = null;
            while (found is not { Error.IsError: false, Partitions.Count: > 0 })
            {
                stopping.ThrowIfCancellationRequested();
                found = admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics.FirstOrDefault();
                if (found is not { Error.IsError: false, Partitions.Count: > 0 })
                {
                    stopping.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
                }
            }

            ends.AddRange(found.Partitions.Select(p => new TopicPartition(topic, p.PartitionId))
                .Select(p => new TopicPartitionOffset(p, consumer.QueryWatermarkOffsets(p, TimeSpan.FromSeconds(5)).High)));
        }

        consumer.Assign(ends);
    }

    private bool IsOver()
    {
        lock (_lock)
        {
            if (_listeners > 0 || time.GetElapsedTime(_lastLeft) < KeepTime)
            {
                return false;
            }

            (_wanted, _reading) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
            return true;
        }
    }

    private void OnError(Error error)
    {
        if (error.Code is ErrorCode.Local_AllBrokersDown && !_brokerIsLost)
        {
            _brokerIsLost = true;
            buffer.Add(new(null, "stale", null, null, null, "{\"reason\":\"Kafka does not answer; changes are sent when it answers again.\"}"u8.ToArray()));
        }
    }

    private void CheckBroker(IConsumer<string, byte[]> consumer, IAdminClient admin, BrokerRebootstrap rebootstrap)
    {
        try
        {
            admin.GetMetadata(TimeSpan.FromMilliseconds(500));
            _brokerIsLost = false;
            rebootstrap.Progressed();
            buffer.Add(new(null, "current", null, null, null, "{}"u8.ToArray()));
        }
        catch (KafkaException)
        {
            rebootstrap.Stalled();
            rebootstrap.RunWhenDue(consumer);
        }
    }

    /// <summary>
    /// Null when the record is none of the events or cannot be read. The inbox makes unreadable records dead letters; here they are skipped.
    /// </summary>
    private static Change? ToChange(ConsumeResult<string, byte[]> record)
    {
        if (record.Message.Headers?.TryGetLastBytes("ce_type", out var type) != true || Encoding.UTF8.GetString(type!) != s_events[record.Topic])
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(record.Message.Value);
            var root = document.RootElement;
            // Written again as one line, whatever its publisher's format.
            var data = JsonSerializer.SerializeToUtf8Bytes(root);
            if (record.Topic == InventoryUpdated.Topic)
            {
                var product = root.GetProperty("productId").GetGuid();
                return new(ChangeKind.Stock, record.Topic, product, null, null, data,
                    JsonSerializer.SerializeToUtf8Bytes(new { productId = product, available = root.GetProperty("available").GetInt64() }, JsonSerializerOptions.Web));
            }

            var order = root.GetProperty("orderId").GetGuid();
            return new(ChangeKind.Order, record.Topic, order, order, root.GetProperty("customerId").GetGuid(), data);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private void RemoveListener()
    {
        lock (_lock)
        {
            _listeners--;
            _lastLeft = time.GetTimestamp();
        }
    }

    private sealed class Listener(ChangeReader reader) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                reader.RemoveListener();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The consumer of the change stream restarts: {Reason}")]
    private partial void LogRestart(string reason);
}
