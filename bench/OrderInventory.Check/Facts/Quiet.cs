using System.Diagnostics;
using Confluent.Kafka;
using Npgsql;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Facts;

/// <summary>Checks whether a running system still has work in progress.</summary>
internal sealed class Quiet(IReadOnlyDictionary<string, string> databases, string kafka) : IDisposable
{
    private readonly IAdminClient _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka, SocketTimeoutMs = 10_000 }).SetLogHandler(static (_, _) => { }).Build();

    private readonly IConsumer<Ignore, Ignore> _ends =
        new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "check-offsets", EnableAutoCommit = false }).SetLogHandler(static (_, _) => { }).Build();

    private readonly List<ConsumerGroup> _groups = [.. ConsumerGroup.Names.Select(name => new ConsumerGroup(kafka, name))];

    /// <summary>Waits until several checks in a row find no row in an outbox, no waiting order and no lag of a consumer.</summary>
    /// <returns>Null when it is quiet; otherwise what was still in progress at the timeout.</returns>
    public async Task<string?> WaitAsync(TimeSpan timeout, Action<string> report, CancellationToken cancellationToken)
    {
        var (start, times, said) = (Stopwatch.GetTimestamp(), 0, "");
        while (true)
        {
            var sample = await SampleAsync(0, cancellationToken);
            times = sample is { Outbox: 0, Lag: 0, Waiting: 0 } ? times + 1 : 0;
            if (times == 4)
            {
                return null;
            }

            var moving = $"outbox {sample.Outbox?.ToString() ?? "?"}, consumers behind by {sample.Lag?.ToString() ?? "?"}, orders waiting {sample.Waiting?.ToString() ?? "?"}";
            if (Stopwatch.GetElapsedTime(start) > timeout)
            {
                return moving;
            }

            if (moving != said)
            {
                report(moving);
                said = moving;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
    }

    public async Task<SampleLine> SampleAsync(double at, CancellationToken cancellationToken)
    {
        var outbox = await SumAsync(databases.Values, "SELECT count(*), extract(epoch FROM now() - min(created_at))::float8 FROM outbox_messages", cancellationToken);
        var waiting = await SumAsync([databases["orders"]], "SELECT count(*), NULL::float8 FROM orders WHERE status IN ('pending', 'revisionPending', 'cancelPending')", cancellationToken);
        return new(at, outbox?.Count, outbox?.Age, await Task.Run(() => Lag(), cancellationToken), waiting?.Count);
    }

    public void Dispose()
    {
        _admin.Dispose();
        _ends.Dispose();
        _groups.ForEach(group => group.Dispose());
    }

    private static async Task<(long Count, double? Age)?> SumAsync(IEnumerable<string> databases, string sql, CancellationToken cancellationToken)
    {
        try
        {
            var (count, age) = (0L, (double?)null);
            foreach (var database in databases)
            {
                foreach (var (rows, oldest) in await DatabaseFacts.QueryAsync(database, sql, row => (row.GetInt64(0), row.IsDBNull(1) ? (double?)null : row.GetDouble(1)), cancellationToken))
                {
                    (count, age) = (count + rows, oldest is null ? age : Math.Max(oldest.Value, age ?? 0));
                }
            }

            return (count, age);
        }
        catch (Exception problem) when (problem is NpgsqlException or TimeoutException)
        {
            return null;
        }
    }

    private long? Lag()
    {
        try
        {
            var partitions = Topics.Partitions(_admin, TimeSpan.FromSeconds(3));
            var ends = partitions.ToDictionary(partition => partition, partition => _ends.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(3)).High.Value);
            return _groups.Sum(group => group.Committed(partitions).Sum(partition => Math.Max(0, ends[partition.TopicPartition] - partition.Offset.Value)));
        }
        catch (KafkaException)
        {
            return null;
        }
    }
}
