using Npgsql;
using NpgsqlTypes;

namespace OrderInventory.Messaging.Outbox;

/// <summary>The outbox messages that a transaction has written, for <see cref="OutboxSignal.Committed"/>.</summary>
public sealed class OutboxWrite
{
    internal OutboxWrite(IReadOnlyList<OutboxMessage> messages, IReadOnlyList<Guid> older)
    {
        Messages = messages;
        Older = older;
    }

    internal IReadOnlyList<OutboxMessage> Messages { get; }

    /// <summary>Rows of the same keys with lower versions that were in the table at the time: they must be published first.</summary>
    internal IReadOnlyList<Guid> Older { get; }
}

/// <summary>The outbox for code that writes with SQL; with EF Core, add <see cref="OutboxMessage"/>s to the context instead.</summary>
public static class OutboxSql
{
    private const string Insert =
        """
        INSERT INTO outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
        SELECT slot, key, version, id, topic, headers::json, payload, created_at FROM
        """;

    private const string New = " unnest($1, $2, $3, $4, $5, $6, $7, $8) AS m (slot, key, version, id, topic, headers, payload, created_at)";

    /// <summary>
    /// The writer holds the lock on the aggregate, so all its earlier versions are committed, and the unpublished ones are in this table.
    /// They are looked up row by row: for a join, a planner whose statistics show an empty table would read all of it.
    /// </summary>
    private const string InsertAndFindOlder =
        $"""
        WITH m AS MATERIALIZED (SELECT * FROM {New}), written AS ({Insert} m)
        SELECT older.ids FROM (
            SELECT (SELECT array_agg(o.id) FROM outbox_messages o WHERE o.slot = m.slot AND o.key = m.key AND o.version < m.version) AS ids
            FROM m) AS older
        WHERE older.ids IS NOT NULL
        """;

    /// <summary>
    /// Runs the batch with one more statement, which writes all messages and is followed only by <paramref name="end"/>. Call it in the
    /// transaction of the change, after the aggregates were locked. Call <see cref="OutboxSignal.Committed"/> after the commit.
    /// </summary>
    /// <param name="batch">The change's other statements.</param>
    /// <param name="messages">The messages; those of one key in the order of their versions.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="end">A last statement, which returns no rows, such as COMMIT.</param>
    public static async Task<OutboxWrite> WriteAsync(
        this NpgsqlBatch batch, IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken, NpgsqlBatchCommand? end = null)
    {
        // A first version has no older rows.
        var findsOlder = messages.Any(message => message.Version > 1);
        if (messages.Count > 0)
        {
            batch.BatchCommands.Add(Command(messages, findsOlder ? InsertAndFindOlder : Insert + New));
        }

        if (end is not null)
        {
            batch.BatchCommands.Add(end);
        }

        if (batch.BatchCommands.Count == 0)
        {
            return new(messages, []);
        }

        if (!findsOlder)
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return new(messages, []);
        }

        var older = new List<Guid>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            older.Clear();
            while (await reader.ReadAsync(cancellationToken))
            {
                if (reader.FieldCount > 0 && reader.GetValue(0) is Guid[] ids)
                {
                    older.AddRange(ids);
                }
            }
        }
        while (await reader.NextResultAsync(cancellationToken));
        return new(messages, older);
    }

    /// <summary>
    /// Only adds the statement, for a batch that the caller runs. Nothing is handed to the relay: call <see cref="OutboxSignal.Wake"/>.
    /// </summary>
    public static void AddOutbox(this NpgsqlBatch batch, params IReadOnlyList<OutboxMessage> messages)
    {
        if (messages.Count > 0)
        {
            batch.BatchCommands.Add(Command(messages, Insert + New));
        }
    }

    /// <summary>One column of rows as an array parameter.</summary>
    public static NpgsqlParameter<TValue[]> Array<TRow, TValue>(IReadOnlyList<TRow> rows, Func<TRow, TValue> column, NpgsqlDbType type)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = column(rows[i]);
        }

        return new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }

    private static NpgsqlBatchCommand Command(IReadOnlyList<OutboxMessage> messages, string sql) => new(sql)
    {
        Parameters =
        {
            Array(messages, m => m.Slot, NpgsqlDbType.Smallint),
            Array(messages, m => m.Key, NpgsqlDbType.Text),
            Array(messages, m => m.Version, NpgsqlDbType.Bigint),
            Array(messages, m => m.Id, NpgsqlDbType.Uuid),
            Array(messages, m => m.Topic, NpgsqlDbType.Text),
            Array(messages, m => m.Headers, NpgsqlDbType.Text),
            Array(messages, m => m.Payload, NpgsqlDbType.Bytea),
            Array(messages, m => m.CreatedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
        },
    };
}
