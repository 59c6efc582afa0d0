using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;

namespace OrderInventory.TestSupport;

/// <summary>A record as a test sees it.</summary>
public sealed record SeenRecord(string Topic, string Key, string Value, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Value);
}

/// <summary>Publishes and reads records as any other program would: over TCP, with its own client.</summary>
public sealed class KafkaProbe(string bootstrapServers) : IDisposable
{
    private IProducer<string, byte[]>? _producer;

    private IProducer<string, byte[]> Producer => _producer ??= new ProducerBuilder<string, byte[]>(
        new ProducerConfig { BootstrapServers = bootstrapServers, EnableIdempotence = true, LingerMs = 0 }).Build();

    /// <summary>Publishes an event with CloudEvents headers. A header set to null in <paramref name="headers"/> is left out.</summary>
    public async Task<Guid> PublishAsync(
        string topic, string type, string key, string json, Guid? eventId = null, IReadOnlyDictionary<string, string?>? headers = null)
    {
        var id = eventId ?? Guid.CreateVersion7();
        var all = new Dictionary<string, string?>
        {
            ["ce_specversion"] = "1.0",
            ["ce_id"] = id.ToString(),
            ["ce_type"] = type,
            ["ce_source"] = "/test",
            ["ce_time"] = "2026-11-24T08:00:00Z",
            ["ce_subject"] = key,
            ["ce_aggregateversion"] = "1",
            ["ce_correlationid"] = id.ToString(),
            ["content-type"] = "application/json",
        };
        foreach (var (name, value) in headers ?? new Dictionary<string, string?>())
        {
            all[name] = value;
        }

        var message = new Message<string, byte[]> { Key = key, Value = Encoding.UTF8.GetBytes(json), Headers = [] };
        foreach (var (name, value) in all)
        {
            if (value is not null)
            {
                message.Headers.Add(name, Encoding.UTF8.GetBytes(value));
            }
        }

        await Producer.ProduceAsync(topic, message);
        return id;
    }

    /// <summary>
    /// Lets a new consumer group begin at the end of the topics, so that a service does not first process what earlier tests have
    /// published on the same broker. Topics that do not exist yet are read from their beginning.
    /// </summary>
    public Task BeginAtEndAsync(string group, params string[] topics) => Task.Run(() =>
    {
        var timeout = TimeSpan.FromSeconds(10);
        using var admin = new DependentAdminClientBuilder(Producer.Handle).Build();
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = bootstrapServers, GroupId = group, EnableAutoCommit = false }).Build();
        var ends = admin.GetMetadata(timeout).Topics.Where(known => topics.Contains(known.Topic))
            .SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition.PartitionId)))
            .Select(partition => new TopicPartitionOffset(partition, consumer.QueryWatermarkOffsets(partition, timeout).High)).ToList();
        if (ends.Count > 0)
        {
            consumer.Commit(ends);
        }
    });

    /// <summary>The topic's records with this key, read from the beginning until <paramref name="enough"/> returns true.</summary>
    public Task<IReadOnlyList<SeenRecord>> ReadAsync(string topic, string key, Func<IReadOnlyList<SeenRecord>, bool> enough, TimeSpan? timeout = null) =>
        Task.Run<IReadOnlyList<SeenRecord>>(() =>
        {
            using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
            {
                BootstrapServers = bootstrapServers,
                GroupId = "probe-" + Guid.CreateVersion7().ToString("N", CultureInfo.InvariantCulture),
                AutoOffsetReset = AutoOffsetReset.Earliest,
                EnableAutoCommit = false,
                AllowAutoCreateTopics = true,
            }).Build();
            consumer.Subscribe(topic);
            var seen = new List<SeenRecord>();
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            while (System.Diagnostics.Stopwatch.GetElapsedTime(started) < (timeout ?? TimeSpan.FromSeconds(30)))
            {
                ConsumeResult<string, byte[]>? record = null;
                try
                {
                    record = consumer.Consume(TimeSpan.FromMilliseconds(100));
                }
                catch (ConsumeException)
                {
                    // The topic is not known yet.
                }

                if (record is null || record.Message.Key != key)
                {
                    continue;
                }

                seen.Add(new(
                    topic, record.Message.Key, Encoding.UTF8.GetString(record.Message.Value ?? []),
                    record.Message.Headers.ToDictionary(h => h.Key, h => Encoding.UTF8.GetString(h.GetValueBytes()))));
                if (enough(seen))
                {
                    consumer.Close();
                    return seen;
                }
            }

            consumer.Close();
            throw new TimeoutException($"Topic {topic} has {seen.Count} records of key {key}, too few: {string.Join('\n', seen.Select(s => s.Value))}");
        });

    public void Dispose() => _producer?.Dispose();
}
