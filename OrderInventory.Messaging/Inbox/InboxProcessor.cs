using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Kafka;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// Applies each event exactly once: inbox rows, effects and outgoing events are one transaction per batch. Transient failures
/// (serialization failure, deadlock, lost connection) are retried with backoff and in order, for as long as it takes. After any other
/// failure each event gets its own transaction; an event that fails alone becomes a dead letter, and the rest is applied.
/// </summary>
internal sealed partial class InboxProcessor(
    NpgsqlDataSource database, IServiceProvider services, MessagingOptions options, OutboxSignal signal, TimeProvider time, ILogger<InboxProcessor> logger)
{
    private static readonly TimeSpan s_longestBackoff = TimeSpan.FromSeconds(5);

    /// <summary>When it returns, all effects of the records are committed, so their offsets may be committed too.</summary>
    public async Task ProcessAsync(IReadOnlyList<EventRecord> records, CancellationToken cancellationToken)
    {
        var events = new List<ReceivedEvent>(records.Count);
        var ids = new HashSet<Guid>(records.Count);
        var deadLetters = new List<DeadLetter>();
        foreach (var record in records)
        {
            var received = Read(record, out var poison);
            if (poison is not null)
            {
                deadLetters.Add(DeadLetter.Unreadable(record, poison, time.GetUtcNow()));
            }
            else if (received is not null && !ids.Add(received.Id))
            {
                MessagingTelemetry.Duplicates.Add(1);
            }
            else if (received is not null)
            {
                events.Add(received);
            }
        }

        if (events.Count == 0 && deadLetters.Count == 0)
        {
            return;
        }

        MessagingTelemetry.BatchSize.Record(events.Count);
        using var spans = BatchSpans.Start(events, options.Group);
        try
        {
            await RepeatAsync(events, deadLetters, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogOneByOne(exception, events.Count);
            await RepeatAsync([], deadLetters, cancellationToken);
            foreach (var received in await FindFreshAsync(events, cancellationToken))
            {
                await ProcessAloneAsync(received, cancellationToken);
            }
        }
    }

    /// <summary>Replays a dead letter in one transaction with its removal. Returns why it failed again, or null.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The operator wants to read the reason, whatever it is.")]
    public async Task<string?> ReplayAsync(EventRecord record, Guid deadLetter, CancellationToken cancellationToken)
    {
        var received = Read(record, out var poison);
        if (poison is not null || received is null)
        {
            return poison ?? "No handler of this service takes this type of event.";
        }

        using var spans = BatchSpans.Start([received], options.Group);
        try
        {
            await RepeatAsync(await FindFreshAsync([received], cancellationToken), [], cancellationToken, deadLetter);
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{exception.GetType().Name}: {exception.Message}";
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "An event that fails alone, for any reason, becomes a dead letter.")]
    private async Task ProcessAloneAsync(ReceivedEvent received, CancellationToken cancellationToken)
    {
        try
        {
            await RepeatAsync([received], [], cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            received.Activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            await RepeatAsync([], [DeadLetter.Failed(received, exception, time.GetUtcNow())], cancellationToken);
        }
    }

    private async Task RepeatAsync(
        IReadOnlyList<ReceivedEvent> events, IReadOnlyList<DeadLetter> deadLetters, CancellationToken cancellationToken, Guid? replayed = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RunAsync(events, deadLetters, replayed, cancellationToken);
                return;
            }
            catch (Exception exception) when (IsHandledBefore(exception))
            {
                // Rare: Kafka delivered an event twice, or the answer to a commit was lost.
                events = await FindFreshAsync(events, cancellationToken);
            }
            catch (Exception exception) when (IsTransient(exception, attempt) && !cancellationToken.IsCancellationRequested)
            {
                // The commit may have succeeded; in that case its events were not handed to the relay.
                signal.Wake();
                MessagingTelemetry.Repeats.Add(1);
                var backoff = TimeSpan.FromMilliseconds(Math.Min(20 * Math.Pow(2, Math.Min(attempt, 12)), s_longestBackoff.TotalMilliseconds) * (0.5 + (Random.Shared.NextDouble() / 2)));
                LogRepeat(exception, attempt, backoff);
                await Task.Delay(backoff, time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// One transaction: first the handlers' reads, then all writes, the inbox rows and the commit in one round trip. The events are assumed to be
    /// new; one that is not violates the inbox's primary key, which rolls everything back.
    /// </summary>
    private async Task RunAsync(
        IReadOnlyList<ReceivedEvent> events, IReadOnlyList<DeadLetter> deadLetters, Guid? replayed, CancellationToken cancellationToken)
    {
        if (events.Count == 0 && deadLetters.Count == 0 && replayed is null)
        {
            return;
        }

        // A batch without a recorded trace must not start one with its first statement.
        using var quiet = Activity.Current is null ? SuppressInstrumentationScope.Begin() : null;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var batch = new InboxBatch(connection, transaction, events.Count > 0 ? InsertInboxRows(events) : null);

        if (replayed is not null && !await LockDeadLetterAsync(connection, replayed.Value, cancellationToken))
        {
            return;
        }

        // In the order of registration, not of arrival: events of different topics overtake each other.
        foreach (var group in events.GroupBy(e => e.Registration.Handler).OrderBy(group => group.Min(e => e.Registration.Number)))
        {
            var handler = (IBatchHandler)services.GetRequiredService(group.Key);
            await handler.HandleAsync([.. group], batch, cancellationToken);
        }

        foreach (var deadLetter in deadLetters)
        {
            await AddDeadLetterAsync(connection, batch, deadLetter, cancellationToken);
        }

        signal.Committed(await batch.CommitAsync(cancellationToken));
        batch.RunAfterCommit();
        MessagingTelemetry.Handled.Add(events.Count);
    }

    /// <summary>In the order of the ids, so that two batches with the same events do not deadlock.</summary>
    private static NpgsqlBatchCommand InsertInboxRows(IReadOnlyList<ReceivedEvent> events) =>
        new("INSERT INTO inbox_messages (id, handled_at) SELECT id, now() FROM unnest($1) AS e (id)")
        {
            Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. events.Select(e => e.Id).Order()] } },
        };

    /// <summary>The events that have not been handled before, in their order.</summary>
    private async Task<IReadOnlyList<ReceivedEvent>> FindFreshAsync(IReadOnlyList<ReceivedEvent> events, CancellationToken cancellationToken)
    {
        await using var find = database.CreateCommand("SELECT id FROM inbox_messages WHERE id = ANY($1)");
        find.Parameters.Add(OutboxSql.Array(events, e => e.Id, NpgsqlDbType.Uuid));
        var handled = new HashSet<Guid>();
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            handled.Add(reader.GetGuid(0));
        }

        var fresh = events.Where(e => !handled.Contains(e.Id)).ToList();
        MessagingTelemetry.Duplicates.Add(events.Count - fresh.Count);
        return fresh;
    }

    private static bool IsHandledBefore(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "inbox_messages" };

    private static async Task<bool> LockDeadLetterAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var delete = new NpgsqlCommand("DELETE FROM dead_letters WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        return await delete.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private async Task AddDeadLetterAsync(NpgsqlConnection connection, InboxBatch batch, DeadLetter deadLetter, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlBatch(connection) { BatchCommands = { deadLetter.Insert() } };
        if (await insert.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return;
        }

        batch.Publish(OutboxMessage.Copy(
            KafkaTopicNames.DeadLetters(deadLetter.Topic, options.Group), deadLetter.Key, deadLetter.Offset ?? 0,
            EventHeaders.ToJson(EventHeaders.FromJson(deadLetter.Headers), (EventHeaders.DeadLetterReason, Shorten(deadLetter.Reason))),
            deadLetter.Payload, deadLetter.CreatedAt));
        batch.AfterCommit(() =>
        {
            MessagingTelemetry.DeadLetters.Add(1);
            LogDeadLetter(deadLetter.Id, deadLetter.Topic, deadLetter.Partition, deadLetter.Offset, deadLetter.Reason);
        });
    }

    /// <summary>Shortens the reason for the copy, whose record must not exceed the broker's limit. The entry has the full reason.</summary>
    private static string Shorten(string reason) => reason.Length <= 1000 ? reason : reason[..1000] + "…";

    /// <summary>Reads the event in a record. Null without a poison reason means that no handler wants it.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A check that fails because of the data means that the data is wrong, and a record that ended the consumer would end it again after each start.")]
    private ReceivedEvent? Read(EventRecord record, out string? poison)
    {
        poison = null;
        var type = EventHeaders.Get(record.Headers, EventHeaders.Type);
        if (type is null)
        {
            poison = "The record has no ce_type.";
            return null;
        }

        if (!options.Events.TryGetValue(type, out var registration))
        {
            MessagingTelemetry.Unknown.Add(1, new KeyValuePair<string, object?>("type", type));
            LogUnknown(type, record.Topic);
            return null;
        }

        if (!Guid.TryParse(EventHeaders.Get(record.Headers, EventHeaders.Id), out var id))
        {
            poison = "The record's ce_id is missing or not a UUID.";
            return null;
        }

        object? data;
        try
        {
            data = registration.Read(record.Payload, out poison);
            if (poison is not null || !registration.Concerns(data!))
            {
                return null;
            }
        }
        catch (Exception exception)
        {
            poison = $"{exception.GetType().Name}: {exception.Message}";
            return null;
        }

        var correlation = EventHeaders.Get(record.Headers, EventHeaders.CorrelationId);
        return new(id, data!, IsPlain(correlation) ? correlation : id.ToString(), record, registration);
    }

    /// <summary>The correlation id is copied into the headers of the events that follow, so arbitrary text from outside is not accepted.</summary>
    private static bool IsPlain([NotNullWhen(true)] string? correlation) =>
        correlation is { Length: > 0 and <= 100 } && correlation.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <summary>A unique violation may come from another batch that inserted the same row at the same time; a retry then sees that row.</summary>
    private static bool IsTransient(Exception? exception, int attempt) => exception.IsTransientDatabaseFailure() || (attempt <= 3 && IsUniqueViolation(exception));

    private static bool IsUniqueViolation(Exception? exception) => exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation }
        // EF Core wraps Npgsql's exceptions.
        || (exception is not null && IsUniqueViolation(exception.InnerException));

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch is repeated (attempt {Attempt}) in {Backoff}")]
    private partial void LogRepeat(Exception exception, int attempt, TimeSpan backoff);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} failed; its events are processed one by one")]
    private partial void LogOneByOne(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Dead letter {Id}: topic {Topic}, partition {Partition}, offset {Offset}: {Reason}")]
    private partial void LogDeadLetter(Guid id, string topic, int? partition, long? offset, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "No handler takes {Type} from {Topic}; skipped")]
    private partial void LogUnknown(string type, string topic);
}
