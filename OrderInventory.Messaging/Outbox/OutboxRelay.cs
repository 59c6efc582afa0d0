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
/// Publishes the outbox. Messages of this process come from <see cref="OutboxSignal"/> after their commit, without a look at the table. The
/// table is read at the start, when slots were taken over, after a failure, when somebody else has written to it, and from time to time. A row
/// is deleted when the broker has acknowledged it, many at once. There is no high-water mark that would skip a row that committed late, and a crash at any
/// instruction leaves the row there: it is published again, with the same <c>ce_id</c>.
/// <para>
/// Order within a key: a message from memory leaves only when every older row of its key that its transaction saw has left before it; otherwise the
/// table is read, which is in the order of keys and versions. See docs/messaging.md.
/// </para>
/// </summary>
internal sealed partial class OutboxRelay(
    NpgsqlDataSource database, OutboxSignal signal, EventProducer producer, KafkaTopics topics, MessagingOptions options,
    TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    /// <summary>How long acknowledged rows stay, so that they are deleted together.</summary>
    private static readonly TimeSpan s_deleteAfter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_waitAtStop = TimeSpan.FromSeconds(1);

    private readonly OutboxSlots _slots = new(database, options.InstanceId, time);
    private readonly OutboxTable _table = new(database, options.InstanceId);
    private readonly SentMessages _sent = new(signal);
    private readonly BrokerReminder _reminder = new(options.Kafka.BootstrapServers, time);
    private long _looked;
    private long _deleted;
    private bool _lookAgain = true;

    /// <summary>What the look at the table could not hand over, or did not reach, waits for what is in flight: looking again at once would find the same.</summary>
    private bool _isBlocked;

    [SuppressMessage("Design", "CA1031", Justification = "A relay that ended here would take the service with it, or leave its events where they are.")]
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
                if (!_lookAgain || _isBlocked)
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
                _lookAgain = true;
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
            // What the broker has is not left for the next start to publish again.
            await Task.WhenAny(_sent.WhenIdle(), Task.Delay(s_waitAtStop, time, cancellationToken));
            await DeleteAsync(cancellationToken);
            await _slots.ReleaseAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or ObjectDisposedException)
        {
            // The database is away, or a host that was told to stop twice has let go of it. The leases end by themselves.
            LogNotReleased(exception);
        }
    }

    private async Task RenewWhenDueAsync(CancellationToken cancellationToken)
    {
        // Looking for work belongs to no trace; without this every look would be one of its own.
        using var quiet = SuppressInstrumentationScope.Begin();
        if (_slots.IsRenewalDue)
        {
            // Here, because this comes every three seconds, also while the producer's reports are waited for.
            RemindProducer();
            _lookAgain |= await _slots.RenewAsync(cancellationToken);
        }
    }

    /// <summary>A producer that has lost its brokers keeps its records, and says nothing of them.</summary>
    private void RemindProducer()
    {
        if (_sent.IsStuck())
        {
            _reminder.Waits();
        }
        else
        {
            _reminder.GetsOn();
        }

        if (_reminder.RemindWhenDue(producer.Clients))
        {
            LogReminded();
        }
    }

    /// <summary>Until the next look at the table or the next deletion, if nobody calls before.</summary>
    private TimeSpan LongestWait() => !_sent.IsEmpty && s_deleteAfter < Poll ? s_deleteAfter : Poll;

    /// <summary>Commits here are handed over; slots shared with other replicas get rows that nobody tells of.</summary>
    private TimeSpan Poll => _slots.OwnsAll ? options.IdlePoll : options.SharedPoll;

    private async Task RelayAsync(CancellationToken cancellationToken)
    {
        if (_sent.Failure is { } failure)
        {
            await RecoverAsync(failure, cancellationToken);
        }

        await SetRefusedAsideAsync(cancellationToken);
        _lookAgain |= signal.TakeLook() || IsOver(_looked, Poll);
        if (_lookAgain || _sent.IsDeletionDue || IsOver(_deleted, s_deleteAfter))
        {
            await DeleteAsync(cancellationToken);
        }

        if (_lookAgain && !_isBlocked)
        {
            await PublishFromTableAsync(cancellationToken);
        }

        PublishFromMemory();
    }

    private bool IsOver(long since, TimeSpan interval) => time.GetElapsedTime(since) >= interval;

    private async Task PublishFromTableAsync(CancellationToken cancellationToken)
    {
        _looked = time.GetTimestamp();
        // Before the look: what is told of from here on is not in it.
        _lookAgain = false;
        var (messages, isAll) = await _table.ReadAsync(cancellationToken);
        _isBlocked = !Publish(messages) || !isAll;
        _lookAgain = _isBlocked;
    }

    private void PublishFromMemory()
    {
        while (!_lookAgain && !_sent.IsFull && signal.TryTake(out var write))
        {
            // Another process, or one that is gone, has written an earlier version: the table has them in order. Slots of others are theirs.
            _lookAgain = !write.Older.All(_sent.Knows)
                || !Publish(write.Messages.Where(message => _slots.Owns(message.Slot) && !_sent.Knows(message.Id)));
        }
    }

    /// <summary>Hands messages to the producer, in their order. False when it does not take one now: that one and those behind stay in the table.</summary>
    private bool Publish(IEnumerable<OutboxMessage> messages)
    {
        foreach (var message in messages)
        {
            if (_sent.IsFull)
            {
                return false;
            }

            if (_sent.Begin(message.Id) && !Produce(message))
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
            // Such as a message that is larger than the producer may send.
            _sent.Complete(message, exception.Error);
            return true;
        }
        catch (KafkaException exception)
        {
            _sent.TakeBack(message.Id, exception.Error.Code == ErrorCode.Local_QueueFull ? null : exception.Error);
            return false;
        }
    }

    /// <summary>
    /// Waits until the producer has reported on all that it has, makes it anew if it is of no use any more, and begins with the table: keys
    /// keep their order. The producer gives no record up by time, so while the broker is away this waits, with its leases renewed.
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
        _sent.Forgive();
        (_lookAgain, _isBlocked) = (true, false);
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

    /// <summary>A record that the broker will never take becomes a dead letter, and its slot goes on.</summary>
    private async Task SetRefusedAsideAsync(CancellationToken cancellationToken)
    {
        while (_sent.FirstRefused() is var (message, error))
        {
            await _table.SetAsideAsync(message, error.Reason, time.GetUtcNow(), cancellationToken);
            _sent.RefusedIsSetAside();
            _isBlocked = false;
            MessagingTelemetry.Refused.Add(1);
            LogRefused(message.Id, message.Topic, message.Key, error.Reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox could not be relayed; its rows wait (failure {Failures} in a row)")]
    private partial void LogRoundFailed(Exception exception, int failures);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker refused event {EventId} for topic {Topic}, key {Key}, for good: {Reason}. It is a dead letter now")]
    private partial void LogRefused(Guid eventId, string topic, string key, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The producer has waited too long for a broker; it begins with the configured ones again")]
    private partial void LogReminded();

    [LoggerMessage(Level = LogLevel.Information, Message = "The outbox slots were not given back; their leases end by themselves")]
    private partial void LogNotReleased(Exception exception);
}
