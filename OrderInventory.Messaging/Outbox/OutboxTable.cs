using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Messaging.Outbox;

/// <summary>The relay's statements on the outbox.</summary>
internal sealed class OutboxTable(NpgsqlDataSource database, string owner)
{
    /// <summary>Rows of a slot per look: large enough to fill the producer's batches.</summary>
    private const int RowsPerSlot = 128;

    /// <summary>Rows of the slots that are leased to the owner, in the order of keys and versions; and whether these are all.</summary>
    public async Task<(List<OutboxMessage> Messages, bool IsAll)> ReadAsync(CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var command = database.CreateCommand(
            """
            SELECT m.slot, m.key, m.version, m.id, m.topic, m.headers, m.payload, m.created_at
            FROM outbox_slots s
            CROSS JOIN LATERAL (
                SELECT * FROM outbox_messages o WHERE o.slot = s.slot ORDER BY o.key, o.version LIMIT $2) m
            WHERE s.owner = $1 AND s.lease_until > now()
            ORDER BY m.slot, m.key, m.version
            """);
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = RowsPerSlot });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var messages = new List<OutboxMessage>();
        var isAll = true;
        var (slot, rows) = (-1, 0);
        while (await reader.ReadAsync(cancellationToken))
        {
            var message = OutboxMessage.Restore(
                reader.GetInt16(0), reader.GetString(1), reader.GetInt64(2), reader.GetGuid(3), reader.GetString(4), reader.GetString(5),
                reader.GetFieldValue<byte[]>(6), reader.GetFieldValue<DateTimeOffset>(7));
            messages.Add(message);
            rows = message.Slot == slot ? rows + 1 : 1;
            slot = message.Slot;
            isAll &= rows < RowsPerSlot;
        }

        return (messages, isAll);
    }

    /// <summary>The broker has them. With a dead letter that was replayed goes its entry.</summary>
    public async Task DeleteAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // A crash that loses this commit publishes again what consumers drop as duplicates: no reason to wait for the disk.
                new("SELECT set_config('synchronous_commit', 'off', true)"),
                DeleteCommand(messages),
            },
        };
        if (messages.Where(message => message.IsReplayed).ToList() is { Count: > 0 } replayed)
        {
            batch.BatchCommands.Add(new("DELETE FROM dead_letters WHERE partition IS NULL AND topic = ANY($1) AND event_id = ANY($2)")
            {
                Parameters = { OutboxSql.Array(replayed, m => m.Topic, NpgsqlDbType.Text), OutboxSql.Array(replayed, m => m.Id, NpgsqlDbType.Uuid) },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Puts a dead letter in the place of a message that the broker will never take. Of a dead letter's copy the entry itself is there already.</summary>
    public async Task SetAsideAsync(OutboxMessage message, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var headers = EventHeaders.FromJson(message.Headers);
        var isCopy = EventHeaders.Get(headers, EventHeaders.DeadLetterReason) is not null;
        headers.Remove(EventHeaders.Replayed);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { DeleteCommand([message]) } };
        if (!isCopy)
        {
            batch.BatchCommands.Add(DeadLetter.Refused(message.Topic, message.Key, message.Id, headers, message.Payload, reason, now).InsertRefused());
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// One look by the key for each row. As a join, a planner who takes the table for empty goes the other way round, and compares all rows
    /// that wait or have died with all that are deleted: seconds, after a burst. Nothing ever changes a row, so its place stays its own.
    /// </summary>
    private static NpgsqlBatchCommand DeleteCommand(IReadOnlyList<OutboxMessage> messages) => new(
        """
        DELETE FROM outbox_messages WHERE ctid = ANY (ARRAY(
            SELECT (SELECT o.ctid FROM outbox_messages o WHERE o.slot = d.slot AND o.key = d.key AND o.version = d.version AND o.id = d.id)
            FROM unnest($1, $2, $3, $4) AS d (slot, key, version, id)))
        """)
    {
        Parameters =
        {
            OutboxSql.Array(messages, m => m.Slot, NpgsqlDbType.Smallint),
            OutboxSql.Array(messages, m => m.Key, NpgsqlDbType.Text),
            OutboxSql.Array(messages, m => m.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(messages, m => m.Id, NpgsqlDbType.Uuid),
        },
    };
}
