using Confluent.Kafka;

namespace OrderInventory.Check.Facts;

/// <summary>
/// The committed offsets of a consumer group, read and set by a consumer that does not join it. The admin client can read them too, but that
/// aborts the process while the coordinator is unavailable (librdkafka 3663).
/// </summary>
internal sealed class ConsumerGroup(string kafka, string name) : IDisposable
{
    /// <summary>A group and its service's database both have the name of the service.</summary>
    public static readonly IReadOnlyList<string> Names = ["orders", "inventory", "notifications"];

    public static string Any(Random random) => Names[random.Next(Names.Count)];

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly IConsumer<Ignore, Ignore> _consumer =
        new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = kafka, GroupId = name, EnableAutoCommit = false }).SetLogHandler(static (_, _) => { }).Build();

    /// <summary>The offsets of partitions for which the group has committed one; topics that it does not read are missing.</summary>
    /// <exception cref="KafkaException">No coordinator answers.</exception>
    public List<TopicPartitionOffset> Committed(IEnumerable<TopicPartition> partitions) =>
        _consumer.Committed(partitions, s_timeout).FindAll(partition => partition.Offset.Value >= 0);

    /// <exception cref="KafkaException">The group has members, or no coordinator answers.</exception>
    public void Commit(IEnumerable<TopicPartitionOffset> offsets) => _consumer.Commit(offsets);

    public void Dispose() => _consumer.Dispose();
}
