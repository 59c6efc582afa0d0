using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Npgsql;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check.Facts;

namespace OrderInventory.Campaign.Faults;

/// <summary>Faults of topics and of the consumer groups that read them.</summary>
internal static class TopicFaults
{
    /// <summary>Number of records of a partition that a consumer group reads again.</summary>
    private const int Rewound = 2000;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_flush = TimeSpan.FromSeconds(20);

    /// <summary>Publishes unreadable records between valid ones.</summary>
    public static async Task<IReadOnlyList<string>?> PoisonAsync(Target target, string topic)
    {
        using var producer = Producer(target);
        var ids = new List<string>();
        foreach (var payload in (string[])["not json", "{\"orderId\":null}"])
        {
            var id = Guid.CreateVersion7();
            ids.Add(id.ToString());
            await producer.ProduceAsync(topic, new()
            {
                Key = Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()),
                Value = Encoding.UTF8.GetBytes(payload),
                Headers = [new("ce_id", Encoding.UTF8.GetBytes(id.ToString())), new("ce_type", Encoding.UTF8.GetBytes($"{topic}.v1"))],
            });
        }

        return ids;
    }

    /// <summary>Publishes all records of a topic again, as after a restore of the broker or of a producer's database.</summary>
    public static async Task<IReadOnlyList<string>?> ReplayAsync(Target target, string topic, CancellationToken over)
    {
        using var producer = Producer(target);
        foreach (var record in Records(target, topic, int.MaxValue, over))
        {
            producer.Produce(record.TopicPartition, record.Message);
        }

        await Task.Run(() => producer.Flush(s_flush), CancellationToken.None);
        return null;
    }

    /// <summary>
    /// Publishes the latest records of the topics again after deleting them from a service's inbox, as happens to events older than the inbox's
    /// retention: only the aggregates' versions then show that the events have been handled.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> ForgetAsync(Target target, string service, CancellationToken over)
    {
        using var producer = Producer(target);
        await using var connection = await DatabaseFaults.ConnectAsync(target, service);
        foreach (var topic in Topics.All)
        {
            var records = Records(target, topic, Rewound, over).ToList();
            var ids = records.Select(record => record.Message.Headers.TryGetLastBytes("ce_id", out var id) && Guid.TryParse(Encoding.UTF8.GetString(id), out var known) ? known : Guid.Empty);
            await using var forget = new NpgsqlCommand("DELETE FROM inbox_messages WHERE id = ANY($1)", connection) { Parameters = { new() { Value = ids.ToArray() } } };
            await forget.ExecuteNonQueryAsync(CancellationToken.None);
            records.ForEach(record => producer.Produce(record.TopicPartition, record.Message));
        }

        await Task.Run(() => producer.Flush(s_flush), CancellationToken.None);
        return null;
    }

    /// <summary>The latest records of each partition of a topic, without those that arrive meanwhile.</summary>
    /// <param name="target">The system.</param>
    /// <param name="topic">The topic's name.</param>
    /// <param name="last">The largest number of records of a partition.</param>
    /// <param name="over">Ends the reading.</param>
    private static IEnumerable<ConsumeResult<byte[], byte[]>> Records(Target target, string topic, int last, CancellationToken over)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = target.Infrastructure.Kafka,
            GroupId = "replay",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        }).SetLogHandler(static (_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        foreach (var partition in admin.GetMetadata(topic, s_timeout).Topics[0].Partitions.Select(p => new TopicPartition(topic, p.PartitionId)))
        {
            var (begin, end) = consumer.QueryWatermarkOffsets(partition, s_timeout) is var ends ? (Math.Max(ends.Low.Value, ends.High.Value - last), ends.High.Value) : default;
            consumer.Assign(new TopicPartitionOffset(partition, begin));
            for (var at = begin; at < end && !over.IsCancellationRequested;)
            {
                if (consumer.Consume(s_timeout) is not { } record || record.Offset.Value >= end)
                {
                    break;
                }

                at = record.Offset.Value + 1;
                yield return record;
            }
        }
    }
    private static IProducer<byte[], byte[]> Producer(Target target) =>
        new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = target.Infrastructure.Kafka, Acks = Acks.All, MessageTimeoutMs = 20_000 }).SetLogHandler(static (_, _) => { }).Build();

    /// <summary>
    /// Rewinds a consumer group. Kafka allows that only while the group has no members, so the replicas are stopped in order and restarted.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> RewindAsync(Target target, string group, CancellationToken over)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = target.Infrastructure.Kafka }).SetLogHandler(static (_, _) => { }).Build();
        using var consumers = new ConsumerGroup(target.Infrastructure.Kafka, group);
        var back = consumers.Committed(Topics.Partitions(admin, TimeSpan.FromSeconds(10)))
            .ConvertAll(partition => new TopicPartitionOffset(partition.TopicPartition, Math.Max(0, partition.Offset.Value - Rewound)));
        await Task.WhenAll(target.Replicas.Select(replica => replica.StopAsync()));
        try
        {
            for (var begun = Stopwatch.GetTimestamp(); ;)
            {
                try
                {
                    consumers.Commit(back);
                    break;
                }
                catch (KafkaException) when (Stopwatch.GetElapsedTime(begun) < Fault.Stop)
                {
                    // Static members do not leave the group; it is empty when their sessions have expired.
                    await Task.Delay(500, CancellationToken.None);
                }
            }
        }
        finally
        {
            foreach (var replica in target.Replicas)
            {
                await replica.StartAsync(CancellationToken.None);
            }
        }

        return null;
    }
}
