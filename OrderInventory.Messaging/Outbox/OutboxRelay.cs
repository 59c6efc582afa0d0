using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Publishes what the outbox holds: reads the slots that it has leased, hands the rows to the idempotent producer in the order of each
/// key's versions, waits for every acknowledgement, then deletes what was acknowledged. There is no high-water mark to skip a row that
/// committed late, and a crash at any instruction leaves the row there: it is published again, with the same <c>ce_id</c>.
/// </summary>
internal sealed partial class OutboxRelay(
    NpgsqlDataSource database, OutboxSignal signal, EventProducer producer, KafkaTopics topics, MessagingOptions options,
    TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    private readonly OutboxSlots _slots = new(database, options.InstanceId);

    // Rows of a slot per round: large enough to fill the producer's batches, small enough that a lease outlives the round.
    private const int RowsPerSlot = 128;

    private int _owned;
    private long? _renewed;

    [SuppressMessage("Design", "CA1031", Justification = "A relay that ended here would take the service with it, or leave its events where they are.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await topics.EnsureAsync(stoppingToken);
        var failures = 0;
        var pace = new Pace(options.BatchInterval, time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RenewWhenDueAsync(stoppingToken);
                await Task.Delay(pace.Next(), time, stoppingToken);
                var published = _owned > 0 ? await PublishAsync(stoppingToken) : 0;
                failures = 0;
                if (published == 0)
                {
                    // Commits here wake us; slots shared with other replicas get rows that we are not told of.
                    var poll = _owned == OutboxMessage.SlotCount ? options.IdlePoll : options.SharedPoll;
                    await signal.WaitAsync(poll, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                failures++;
                _renewed = null;
                LogRoundFailed(exception, failures);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 * failures, 2000)), time, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await _slots.ReleaseAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException)
        {
            // The leases end by themselves.
            LogNotReleased(exception);
        }
    }

    private async Task RenewWhenDueAsync(CancellationToken cancellationToken)
    {
        // Looking for work belongs to no trace; without this every look would be one of its own.
        using var quiet = SuppressInstrumentationScope.Begin();
        if (_renewed is null || time.GetElapsedTime(_renewed.Value) > OutboxSlots.RenewEvery)
        {
            _owned = await _slots.RenewAsync(cancellationToken);
            _renewed = time.GetTimestamp();
        }
    }

    private async Task<int> PublishAsync(CancellationToken cancellationToken)
    {
        var rows = await ReadAsync(cancellationToken);
        if (rows.Count == 0)
        {
            return 0;
        }

        producer.RenewIfBroken();
        var round = new Round(rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            if (Produce(rows[i], i, round) is { } error)
            {
                // What is behind it must not overtake it: the queue may have room again for the next row of the same key.
                for (; i < rows.Count; i++)
                {
                    round.Complete(i, error);
                }
            }
        }

        // The producer never gives a record up by time, so while the broker is away this round waits, with its leases renewed. Sending
        // the rows again instead would fill the producer's queue with copies.
        while (await Task.WhenAny(round.Completion, Task.Delay(OutboxSlots.RenewEvery, time, cancellationToken)) != round.Completion)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await RenewWhenDueAsync(cancellationToken);
        }

        var published = new List<Row>(rows.Count);
        var refused = new List<(Row, Error)>();
        for (var i = 0; i < rows.Count; i++)
        {
            var error = round.Errors[i];
            if (error is null)
            {
                published.Add(rows[i]);
            }
            else if (EventProducer.IsForGood(error))
            {
                refused.Add((rows[i], error));
            }
        }

        await DeleteAsync(published, cancellationToken);
        MessagingTelemetry.Published.Add(published.Count);
        foreach (var (row, error) in refused)
        {
            await SetAsideAsync(row, error, cancellationToken);
        }

        if (published.Count + refused.Count < rows.Count)
        {
            // Keys keep their order: the next round begins with what failed here.
            var error = round.Errors.First(e => e is not null && !EventProducer.IsForGood(e))!;
            if (error.Code != ErrorCode.Local_QueueFull || published.Count == 0)
            {
                throw new KafkaException(error);
            }
        }

        return published.Count + refused.Count;
    }

    private async Task<List<Row>> ReadAsync(CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(OutboxSql.FindByKeys());
        batch.BatchCommands.Add(new(
            """
            SELECT m.slot, m.key, m.version, m.id, m.topic, m.headers, m.payload
            FROM outbox_slots s
            CROSS JOIN LATERAL (
                SELECT * FROM outbox_messages o WHERE o.slot = s.slot ORDER BY o.key, o.version LIMIT $2) m
            WHERE s.owner = $1 AND s.lease_until > now()
            ORDER BY m.slot, m.key, m.version
            """)
        { Parameters = { new() { Value = options.InstanceId }, new() { Value = RowsPerSlot } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var rows = new List<Row>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new(
                reader.GetInt16(0), reader.GetString(1), reader.GetInt64(2), reader.GetGuid(3), reader.GetString(4),
                reader.GetFieldValue<byte[]>(5), reader.GetFieldValue<byte[]>(6)));
        }

        return rows;
    }

    /// <summary>Hands a row to the producer. Returns the error when the producer did not take it but may do so later.</summary>
    private Error? Produce(Row row, int index, Round round)
    {
        var headers = EventHeaders.FromJson(row.Headers);
        row.IsReplayed = EventHeaders.Get(headers, EventHeaders.Replayed) is not null;
        headers.Remove(EventHeaders.Replayed);
        using var activity = MessagingTelemetry.TryGetRecorded(
            EventHeaders.Get(headers, EventHeaders.TraceParent), EventHeaders.Get(headers, EventHeaders.TraceState), out var parent)
            ? MessagingTelemetry.Source.StartActivity($"publish {row.Topic}", ActivityKind.Producer, parent)
            : null;
        if (activity is not null)
        {
            activity.SetTag("messaging.system", "kafka");
            activity.SetTag("messaging.destination.name", row.Topic);
            activity.SetTag("messaging.message.id", row.Id.ToString());
            headers.Remove(EventHeaders.TraceParent);
            headers.Add(EventHeaders.TraceParent, System.Text.Encoding.ASCII.GetBytes(activity.Id!));
        }

        try
        {
            producer.Produce(
                row.Topic,
                new() { Key = row.Key, Value = row.Payload, Headers = headers },
                report => round.Complete(index, report.Error.IsError ? report.Error : null));
            return null;
        }
        catch (KafkaException exception) when (EventProducer.IsForGood(exception.Error))
        {
            // Larger than the producer may send.
            round.Complete(index, exception.Error);
            return null;
        }
        catch (KafkaException exception)
        {
            return exception.Error;
        }
    }

    private async Task DeleteAsync(List<Row> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return;
        }

        using var quiet = SuppressInstrumentationScope.Begin();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // A crash that loses this commit publishes again what consumers drop as duplicates: no reason to wait for the disk.
                new("SELECT set_config('synchronous_commit', 'off', true)"),
                OutboxSql.FindByKeys(),
                DeleteCommand(rows),
            },
        };
        if (rows.FindAll(row => row.IsReplayed) is { Count: > 0 } replayed)
        {
            batch.BatchCommands.Add(new("DELETE FROM dead_letters WHERE partition IS NULL AND topic = ANY($1) AND event_id = ANY($2)")
            {
                Parameters = { OutboxSql.Array(replayed, r => r.Topic, NpgsqlDbType.Text), OutboxSql.Array(replayed, r => r.Id, NpgsqlDbType.Uuid) },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// One look by the key for each row. As a join, a planner who takes the table for empty goes the other way round, and compares all rows
    /// that wait or have died with all that are deleted: seconds, after a burst. Nothing ever changes a row, so its place stays its own.
    /// </summary>
    private static NpgsqlBatchCommand DeleteCommand(IReadOnlyList<Row> rows) => new(
        """
        DELETE FROM outbox_messages WHERE ctid = ANY (ARRAY(
            SELECT (SELECT o.ctid FROM outbox_messages o WHERE o.slot = d.slot AND o.key = d.key AND o.version = d.version AND o.id = d.id)
            FROM unnest($1, $2, $3, $4) AS d (slot, key, version, id)))
        """)
    {
        Parameters =
        {
            OutboxSql.Array(rows, r => r.Slot, NpgsqlDbType.Smallint),
            OutboxSql.Array(rows, r => r.Key, NpgsqlDbType.Text),
            OutboxSql.Array(rows, r => r.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(rows, r => r.Id, NpgsqlDbType.Uuid),
        },
    };

    /// <summary>A record that the broker will never take becomes a dead letter, and its slot goes on.</summary>
    private async Task SetAsideAsync(Row row, Error error, CancellationToken cancellationToken)
    {
        var headers = EventHeaders.FromJson(row.Headers);
        // Of a dead letter's copy the entry itself is there already.
        var isCopy = EventHeaders.Get(headers, EventHeaders.DeadLetterReason) is not null;
        headers.Remove(EventHeaders.Replayed);
        var deadLetter = DeadLetter.Refused(row.Topic, row.Key, row.Id, headers, row.Payload, error.Reason, time.GetUtcNow());
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { DeleteCommand([row]) } };
        if (!isCopy)
        {
            batch.BatchCommands.Add(deadLetter.InsertRefused());
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        MessagingTelemetry.Refused.Add(1);
        LogRefused(row.Id, row.Topic, row.Key, error.Reason);
    }

    private sealed record Row(short Slot, string Key, long Version, Guid Id, string Topic, byte[] Headers, byte[] Payload)
    {
        /// <summary>Whether it is a dead letter's, whose entry goes with it; known once its headers are read for the producer.</summary>
        public bool IsReplayed { get; set; }
    }

    /// <summary>Collects the acknowledgements of one round; they arrive on the producer's poll thread.</summary>
    private sealed class Round(int count)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _open = count;

        public Error?[] Errors { get; } = new Error?[count];
        public Task Completion => _done.Task;

        public void Complete(int index, Error? error)
        {
            Errors[index] = error;
            if (Interlocked.Decrement(ref _open) == 0)
            {
                _done.SetResult();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox could not be relayed; its rows wait (failure {Failures} in a row)")]
    private partial void LogRoundFailed(Exception exception, int failures);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker refused event {EventId} for topic {Topic}, key {Key}, for good: {Reason}. It is a dead letter now")]
    private partial void LogRefused(Guid eventId, string topic, string key, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The outbox slots were not given back; their leases end by themselves")]
    private partial void LogNotReleased(Exception exception);
}
