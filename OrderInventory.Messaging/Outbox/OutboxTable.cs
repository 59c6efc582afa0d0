using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Messaging.Outbox;

/// <summary>The relay's statements on the outbox.</summary>
internal sealed class OutboxTable(NpgsqlDataSource database, string owner)
{
    /// <summary>Maximum number of rows that one read takes per slot: enough to fill the producer's batches.</summary>
    private const int RowsPerSlot = 128;

    /// <summary>Rows of the slots that are leased to the owner, in the order of keys and versions; and whether these are all rows.</summary>
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

    /// <summary>Deletes messages that the broker has acknowledged. The entry of a replayed dead letter is deleted too.</summary>
    public async Task DeleteAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // No need to wait for the disk: if a crash loses this commit, consumers drop the duplicates that are published again.
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

    /// <summary>
    /// Replaces a message that the broker permanently refused with a dead letter. The copy of a dead letter is only deleted: its entry exists
    /// already.
    /// </summary>
    public async Task MoveToDeadLettersAsync(OutboxMessage message, string reason, DateTimeOffset now, CancellationToken cancellationToken)
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
    /// Looks each row up by its key. For a join, a planner whose statistics show an empty table starts from that table instead and compares all
    /// waiting and dead rows with all rows to delete, which takes seconds after a burst. Rows are never updated, so their ctids stay valid.
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
