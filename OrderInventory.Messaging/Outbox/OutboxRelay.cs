using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Publishes the outbox. Messages of this process come from <see cref="OutboxSignal"/> after their commit, without a read of the table. The
/// table is read at the start, after slots were taken over, after a failure, after rows were written without a hand-over, and from time to time.
/// Rows that the broker has acknowledged are deleted in batches. There is no high-water mark that would skip a row that committed late, and a
/// crash at any point leaves the row in the table: it is published again with the same <c>ce_id</c>.
/// <para>
/// Order within a key: a message from memory is published only after every older row of its key that its transaction saw. Otherwise the relay
/// reads the table, in the order of keys and versions. See docs/messaging.md.
/// </para>
/// </summary>
internal sealed partial class OutboxRelay(
    NpgsqlDataSource database, OutboxSignal signal, EventProducer producer, KafkaTopics topics, MessagingOptions options,
    TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    /// <summary>How long acknowledged rows stay in the table, so that many are deleted together.</summary>
    private static readonly TimeSpan s_deleteAfter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_waitAtStop = TimeSpan.FromSeconds(1);

    private readonly OutboxSlots _slots = new(database, options.InstanceId, time);
    private readonly OutboxTable _table = new(database, options.InstanceId);
    private readonly SentMessages _sent = new(signal);
    private readonly BrokerRebootstrap _rebootstrap = new(options.Kafka.BootstrapServers, time);
    private long _lastTableRead;
    private long _deleted;
    private bool _isTableReadDue = true;

    /// <summary>
    /// The last read of the table left rows that the producer could not take yet. Reading again before an acknowledgement would find the same rows.
    /// </summary>
    private bool _isBlocked;

    [SuppressMessage("Design", "CA1031", Justification = "Otherwise the service would end, or its events would stay in the outbox.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await topics.EnsureAsync(stoppingToken);
        var failures = 0;
        var pace = new Pace(options.RelayInterval, time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RenewWhenDueAsync(stoppingToken);
                await Task.Delay(pace.Next(), time, stoppingToken);
                await RelayAsync(stoppingToken);
                failures = 0;
                if (!_isTableReadDue || _isBlocked)
                {
                    await signal.WaitAsync(LongestWait(), stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                failures++;
                _isTableReadDue = true;
                _slots.Expire();
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
            // Rows that the broker has acknowledged are deleted now, so that the next start does not publish them again.
            await Task.WhenAny(_sent.WhenIdle(), Task.Delay(s_waitAtStop, time, cancellationToken));
            await DeleteAsync(cancellationToken);
            await _slots.ReleaseAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or ObjectDisposedException)
        {
            // The database is unavailable, or a second stop signal has disposed of its data source. The leases expire by themselves.
            LogNotReleased(exception);
        }
    }

    private async Task RenewWhenDueAsync(CancellationToken cancellationToken)
    {
        // A poll belongs to no trace; without this scope each poll would start its own.
        using var quiet = SuppressInstrumentationScope.Begin();
        if (_slots.IsRenewalDue)
        {
            // Done here because this runs every three seconds, even while the relay waits for delivery reports.
            RebootstrapProducer();
            _isTableReadDue |= await _slots.RenewAsync(cancellationToken);
        }
    }

    /// <summary>A producer without brokers keeps its records and reports nothing.</summary>
    private void RebootstrapProducer()
    {
        if (_sent.IsStuck())
        {
            _rebootstrap.Stalled();
        }
        else
        {
            _rebootstrap.Progressed();
        }

        if (_rebootstrap.RunWhenDue(producer.Clients))
        {
            LogRebootstrapped();
        }
    }

    /// <summary>Time until the next read of the table or the next deletion, unless a signal comes first.</summary>
    private TimeSpan LongestWait() => !_sent.IsEmpty && s_deleteAfter < Poll ? s_deleteAfter : Poll;

    /// <summary>
    /// Interval of polling. Commits of this process are handed over; other replicas' rows for this replica's slots are found by polling.
    /// </summary>
    private TimeSpan Poll => _slots.OwnsAll ? options.IdlePoll : options.SharedPoll;

    private async Task RelayAsync(CancellationToken cancellationToken)
    {
        if (_sent.Failure is { } failure)
        {
            await RecoverAsync(failure, cancellationToken);
        }

        await MoveRefusedToDeadLettersAsync(cancellationToken);
        _isTableReadDue |= signal.TakeTableRequest() || HasElapsed(_lastTableRead, Poll);
        if (_isTableReadDue || _sent.IsDeletionDue || HasElapsed(_deleted, s_deleteAfter))
        {
            await DeleteAsync(cancellationToken);
        }

        if (_isTableReadDue && !_isBlocked)
        {
            await PublishFromTableAsync(cancellationToken);
        }

        PublishFromMemory();
    }

    private bool HasElapsed(long since, TimeSpan interval) => time.GetElapsedTime(since) >= interval;

    private async Task PublishFromTableAsync(CancellationToken cancellationToken)
    {
        _lastTableRead = time.GetTimestamp();
        // Cleared before the read: the read may miss a row that is signalled from here on.
        _isTableReadDue = false;
        var (messages, isAll) = await _table.ReadAsync(cancellationToken);
        _isBlocked = !Publish(messages) || !isAll;
        _isTableReadDue = _isBlocked;
    }

    private void PublishFromMemory()
    {
        while (!_isTableReadDue && !_sent.IsFull && signal.TryTake(out var write))
        {
            // If an earlier version comes from another process or from before a restart, read the table. Other replicas' slots are skipped.
            _isTableReadDue = !write.Older.All(_sent.Contains)
                || !Publish(write.Messages.Where(message => _slots.Owns(message.Slot) && !_sent.Contains(message.Id)));
        }
    }

    /// <summary>Hands messages to the producer, in their order. False when the producer's queue is full: the rest stays in the table.</summary>
    private bool Publish(IEnumerable<OutboxMessage> messages)
    {
        foreach (var message in messages)
        {
            if (_sent.IsFull)
            {
                return false;
            }

            if (_sent.TryBegin(message.Id) && !Produce(message))
            {
                return false;
            }
        }

        return true;
    }

    private bool Produce(OutboxMessage message)
    {
        var headers = EventHeaders.FromJson(message.Headers);
        headers.Remove(EventHeaders.Replayed);
        using var activity = MessagingTelemetry.TryGetRecorded(
            EventHeaders.Get(headers, EventHeaders.TraceParent), EventHeaders.Get(headers, EventHeaders.TraceState), out var parent)
            ? MessagingTelemetry.Source.StartActivity($"publish {message.Topic}", ActivityKind.Producer, parent)
            : null;
        if (activity is not null)
        {
            activity.SetTag("messaging.system", "kafka");
            activity.SetTag("messaging.destination.name", message.Topic);
            activity.SetTag("messaging.message.id", message.Id.ToString());
            headers.Remove(EventHeaders.TraceParent);
            headers.Add(EventHeaders.TraceParent, System.Text.Encoding.ASCII.GetBytes(activity.Id!));
        }

        try
        {
            producer.Produce(
                message.Topic,
                new() { Key = message.Key, Value = message.Payload, Headers = headers },
                report => _sent.Complete(message, report.Error.IsError ? report.Error : null));
            return true;
        }
        catch (KafkaException exception) when (EventProducer.IsPermanent(exception.Error))
        {
            // For example a message larger than the producer may send.
            _sent.Complete(message, exception.Error);
            return true;
        }
        catch (KafkaException exception)
        {
            _sent.Remove(message.Id, exception.Error.Code == ErrorCode.Local_QueueFull ? null : exception.Error);
            return false;
        }
    }

    /// <summary>
    /// Waits until the producer has reported on all its records, replaces it if it is no longer usable, and starts again from the table, so that
    /// each key keeps its order. Records never time out in the producer, so while the broker is unavailable this waits and renews the leases.
    /// </summary>
    private async Task RecoverAsync(Error failure, CancellationToken cancellationToken)
    {
        var idle = _sent.WhenIdle();
        while (await Task.WhenAny(idle, Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken)) != idle)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await RenewWhenDueAsync(cancellationToken);
        }

        producer.RenewIfBroken();
        _sent.ClearFailure();
        (_isTableReadDue, _isBlocked) = (true, false);
        throw new KafkaException(failure);
    }

    private async Task DeleteAsync(CancellationToken cancellationToken)
    {
        _deleted = time.GetTimestamp();
        var messages = _sent.Acknowledged();
        if (messages.Count == 0)
        {
            return;
        }

        await _table.DeleteAsync(messages, cancellationToken);
        _sent.Deleted(messages);
        _isBlocked = false;
        MessagingTelemetry.Published.Add(messages.Count);
    }

    /// <summary>Turns records that the broker permanently refused into dead letters, so that their slots are not blocked.</summary>
    private async Task MoveRefusedToDeadLettersAsync(CancellationToken cancellationToken)
    {
        while (_sent.FirstRefused() is var (message, error))
        {
            await _table.MoveToDeadLettersAsync(message, error.Reason, time.GetUtcNow(), cancellationToken);
            _sent.RemoveFirstRefused();
            _isBlocked = false;
            MessagingTelemetry.Refused.Add(1);
            LogRefused(message.Id, message.Topic, message.Key, error.Reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox could not be relayed; its rows wait (failure {Failures} in a row)")]
    private partial void LogRoundFailed(Exception exception, int failures);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker permanently refused event {EventId} for topic {Topic}, key {Key}: {Reason}. It is now a dead letter")]
    private partial void LogRefused(Guid eventId, string topic, string key, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The producer has waited too long for a broker; it reconnects to the configured brokers")]
    private partial void LogRebootstrapped();

    [LoggerMessage(Level = LogLevel.Information, Message = "The outbox slots could not be released; their leases will expire")]
    private partial void LogNotReleased(Exception exception);
}
