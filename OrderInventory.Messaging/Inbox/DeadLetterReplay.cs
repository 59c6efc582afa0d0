using Npgsql;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging.Inbox;

/// <summary>Replays one dead letter to this service's own handler, never to the shared topic, whose other readers have had it.</summary>
internal sealed class DeadLetterReplay(NpgsqlDataSource database, InboxProcessor processor, OutboxSignal signal, TimeProvider time)
{
    /// <summary>False when there is no such dead letter.</summary>
    public async Task<bool> ReplayAsync(Guid id, CancellationToken cancellationToken)
    {
        var record = await ReadAsync(id, cancellationToken);
        if (record is null)
        {
            return false;
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
        }

        return true;
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
        await using var delete = new NpgsqlCommand("DELETE FROM dead_letters WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        if (await delete.ExecuteNonQueryAsync(cancellationToken) == 1)
        {
            await using var insert = new NpgsqlBatch(connection, transaction);
            insert.AddOutbox(OutboxMessage.Again(record, time.GetUtcNow()));
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        signal.Wake();
    }
}
