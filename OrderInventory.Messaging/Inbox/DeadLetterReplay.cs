using Npgsql;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging.Inbox;

/// <summary>Replays one dead letter to this service's own handler, never to the shared topic, whose other consumers have already read it.</summary>
internal sealed class DeadLetterReplay(NpgsqlDataSource database, InboxProcessor processor, OutboxSignal signal, TimeProvider time)
{
    /// <summary>The result of a replay.</summary>
    internal enum Outcome
    {
        /// <summary>There is no such dead letter.</summary>
        Unknown,

        /// <summary>Handled, or, for one of this service's own events that the broker refused, in the outbox again.</summary>
        Applied,

        /// <summary>The entry still exists, with one more attempt.</summary>
        FailedAgain,
    }

    public async Task<Outcome> ReplayAsync(Guid id, CancellationToken cancellationToken)
    {
        var record = await ReadAsync(id, cancellationToken);
        if (record is null)
        {
            return Outcome.Unknown;
        }

        if (record.Offset is null)
        {
            await SendAgainAsync(id, record, cancellationToken);
        }
        else if (await processor.ReplayAsync(record, id, cancellationToken) is { } reason)
        {
            await using var update = database.CreateCommand("UPDATE dead_letters SET attempts = attempts + 1, reason = $2 WHERE id = $1");
            update.Parameters.Add(new() { Value = id });
            update.Parameters.Add(new() { Value = EventHeaders.Storable(reason) });
            await update.ExecuteNonQueryAsync(cancellationToken);
            return Outcome.FailedAgain;
        }

        return Outcome.Applied;
    }

    private async Task<EventRecord?> ReadAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT topic, partition, \"offset\", key, headers, payload FROM dead_letters WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new(
                reader.GetString(0), reader.GetFieldValue<int?>(1), reader.GetFieldValue<long?>(2), reader.GetString(3),
                EventHeaders.FromJson(reader.GetFieldValue<byte[]>(4)), reader.GetFieldValue<byte[]>(5))
            : null;
    }

    private async Task SendAgainAsync(Guid id, EventRecord record, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // The entry stays until the broker has acknowledged the event; if the event is refused again, the entry gets one more attempt.
        await using var find = new NpgsqlCommand("SELECT id FROM dead_letters WHERE id = $1 FOR UPDATE", connection) { Parameters = { new() { Value = id } } };
        var again = OutboxMessage.Again(record, time.GetUtcNow());
        if (await find.ExecuteScalarAsync(cancellationToken) is not null && !await IsUnderWayAsync(connection, again, cancellationToken))
        {
            await using var insert = new NpgsqlBatch(connection, transaction);
            insert.AddOutbox(again);
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        signal.Wake();
    }

    private static async Task<bool> IsUnderWayAsync(NpgsqlConnection connection, OutboxMessage message, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT EXISTS (SELECT FROM outbox_messages WHERE slot = $1 AND key = $2 AND version = $3 AND id = $4)", connection)
        {
            Parameters = { new() { Value = message.Slot }, new() { Value = message.Key }, new() { Value = message.Version }, new() { Value = message.Id } },
        };
        return (bool)(await find.ExecuteScalarAsync(cancellationToken))!;
    }
}
