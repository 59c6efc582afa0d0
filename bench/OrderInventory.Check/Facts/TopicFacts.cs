using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Facts;

/// <summary>Reads topics from their beginning to their current end, without a consumer group.</summary>
internal static class TopicFacts
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(20);

    /// <exception cref="TimeoutException">The broker did not deliver all records.</exception>
    public static IReadOnlyList<EventFact> Read(string kafka, CancellationToken cancellationToken)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = kafka,
            GroupId = "check",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        }).SetLogHandler(static (_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = Topics.Partitions(admin, s_timeout);
        consumer.Assign(partitions.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)));
        var (open, events, last) = (partitions.ToHashSet(), new List<EventFact>(), TimeProvider.System.GetTimestamp());
        while (open.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = consumer.Consume(TimeSpan.FromMilliseconds(500));
            if (record is null)
            {
                if (TimeProvider.System.GetElapsedTime(last) > s_timeout)
                {
                    throw new TimeoutException($"Kafka gave nothing for {s_timeout.TotalSeconds:F0} s; missing are the ends of {string.Join(", ", open)}.");
                }

                continue;
            }

            last = TimeProvider.System.GetTimestamp();
            if (record.IsPartitionEOF)
            {
                open.Remove(record.TopicPartition);
            }
            else if (Parse(record) is { } e)
            {
                events.Add(e);
            }
        }

        return events;
    }

    /// <summary>Returns null for a record that is not ours, such as a poison record of a fault.</summary>
    private static EventFact? Parse(ConsumeResult<byte[], byte[]> record)
    {
        string? Header(string name) => record.Message.Headers.TryGetLastBytes(name, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
        if (!Guid.TryParse(Header("ce_id"), out var id) || !long.TryParse(Header("ce_aggregateversion"), out var version)
            || !Guid.TryParse(Encoding.UTF8.GetString(record.Message.Key ?? []), out var key))
        {
            return null;
        }

        var e = new EventFact(record.Topic, record.Partition.Value, record.Offset.Value, key, id, version);
        if (record.Topic is not (Topics.OrderCreated or Topics.OrderUpdated))
        {
            return e;
        }

        using var json = JsonDocument.Parse(record.Message.Value);
        var order = json.RootElement;
        return e with
        {
            Status = order.GetProperty("status").GetString(),
            PreviousStatus = order.TryGetProperty("previousStatus", out var previous) ? previous.GetString() : null,
            IsReturn = order.TryGetProperty("return", out var returned) && returned.ValueKind == JsonValueKind.Object,
            Lines = DatabaseFacts.Lines(order.GetProperty("lines")),
        };
    }
}
