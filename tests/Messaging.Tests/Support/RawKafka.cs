using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A Kafka client outside every service: it sends what a test needs, well formed or not, and reads topics from their beginning.</summary>
internal sealed class RawKafka : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(20);
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly IConsumer<string, byte[]?> _consumer;
    private readonly IAdminClient _admin;

    public RawKafka(string bootstrapServers)
    {
        _producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = bootstrapServers, Acks = Acks.All, LingerMs = 0 })
            .SetKeySerializer(Serializers.ByteArray!)
            .SetValueSerializer(Serializers.ByteArray!)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        _admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        // The group is never joined and commits nothing: partitions are assigned by hand.
        _consumer = new ConsumerBuilder<string, byte[]?>(new ConsumerConfig { BootstrapServers = bootstrapServers, GroupId = $"probe-{Guid.CreateVersion7():N}", EnableAutoCommit = false })
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
    }

    /// <summary>The headers that every event of the system carries.</summary>
    public static Headers CloudEvent(string type, Guid id, string subject, long version, string? traceParent = null)
    {
        var headers = new Headers();
        Add("ce_specversion", "1.0");
        Add("ce_id", id.ToString());
        Add("ce_type", type);
        Add("ce_source", "/tests");
        Add("ce_time", TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
        Add("ce_subject", subject);
        Add("ce_aggregateversion", version.ToString(CultureInfo.InvariantCulture));
        Add("ce_correlationid", id.ToString());
        Add("content-type", "application/json");
        if (traceParent is not null)
        {
            Add("traceparent", traceParent);
        }

        return headers;

        void Add(string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>A header's text, or null when the record does not have it.</summary>
    public static string? Header<TKey, TValue>(ConsumeResult<TKey, TValue> record, string name) => Header(record.Message.Headers, name);

    public static string? Header(Headers headers, string name) => headers.TryGetLastBytes(name, out var value) ? Encoding.UTF8.GetString(value) : null;

    /// <param name="topic">The topic.</param>
    /// <param name="key">Any bytes, or null.</param>
    /// <param name="value">Any bytes, or null for a tombstone.</param>
    /// <param name="headers">Any headers, or none.</param>
    /// <param name="partition">By default the partition of the key.</param>
    /// <returns>Where the broker has stored the record.</returns>
    public async Task<TopicPartitionOffset> PublishAsync(string topic, byte[]? key, byte[]? value, Headers? headers = null, int? partition = null)
    {
        using var timeout = new CancellationTokenSource(s_timeout);
        var report = await _producer.ProduceAsync(
            new TopicPartition(topic, partition ?? Partition.Any), new() { Key = key, Value = value, Headers = headers }, timeout.Token);
        return report.TopicPartitionOffset;
    }

    public int Partitions(string topic) => _admin.GetMetadata(topic, s_timeout).Topics.Single().Partitions.Count;

    /// <summary>All records that a topic holds now, partition after partition, each in its order.</summary>
    public Task<IReadOnlyList<ConsumeResult<string, byte[]?>>> ReadAsync(string topic) => Eventually.NotNullAsync(
        () => Task.Run<IReadOnlyList<ConsumeResult<string, byte[]?>>?>(() =>
        {
            try
            {
                return Read(topic);
            }
            catch (KafkaException)
            {
                // A new topic, or a broker that has just started: the partitions have no leader yet.
                return null;
            }
        }),
        s_timeout, $"The records of {topic}");

    /// <summary>Waits until a topic holds at least this many records, and returns all.</summary>
    public async Task<IReadOnlyList<ConsumeResult<string, byte[]?>>> ReadAsync(string topic, int atLeast)
    {
        IReadOnlyList<ConsumeResult<string, byte[]?>> records = [];
        await Eventually.TrueAsync(async () => (records = await ReadAsync(topic)).Count >= atLeast, s_timeout, $"{topic} with {atLeast} records");
        return records;
    }

    public void Dispose()
    {
        _consumer.Close();
        _consumer.Dispose();
        _admin.Dispose();
        _producer.Dispose();
    }

    private List<ConsumeResult<string, byte[]?>> Read(string topic)
    {
        var ends = new Dictionary<TopicPartition, Offset>();
        var starts = new List<TopicPartitionOffset>();
        foreach (var partition in _admin.GetMetadata(topic, s_timeout).Topics.Single().Partitions)
        {
            var at = new TopicPartition(topic, partition.PartitionId);
            var offsets = _consumer.QueryWatermarkOffsets(at, s_timeout);
            if (offsets.High > offsets.Low)
            {
                ends.Add(at, offsets.High);
                starts.Add(new(at, offsets.Low));
            }
        }

        var records = new List<ConsumeResult<string, byte[]?>>();
        _consumer.Assign(starts);
        try
        {
            for (var started = Stopwatch.GetTimestamp(); ends.Count > 0;)
            {
                if (_consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                {
                    if (ends.TryGetValue(record.TopicPartition, out var end) && record.Offset < end)
                    {
                        records.Add(record);
                        if (record.Offset == end - 1)
                        {
                            ends.Remove(record.TopicPartition);
                        }
                    }
                }
                else if (Stopwatch.GetElapsedTime(started) > s_timeout)
                {
                    throw new TimeoutException($"{topic} could not be read to its end: {string.Join(", ", ends.Keys)}");
                }
            }
        }
        finally
        {
            _consumer.Unassign();
        }

        return [.. records.OrderBy(record => record.Partition.Value).ThenBy(record => record.Offset.Value)];
    }
}
