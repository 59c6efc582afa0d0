using Npgsql;
using NpgsqlTypes;

namespace OrderInventory.Messaging.Outbox;

/// <summary>The outbox for code that writes with SQL; with EF Core, add <see cref="OutboxMessage"/>s to the context instead.</summary>
public static class OutboxSql
{
    /// <summary>
    /// Adds one statement that writes all messages to a batch of the change's transaction. Call <see cref="OutboxSignal.Wake"/> after the commit.
    /// </summary>
    public static void AddOutbox(this NpgsqlBatch batch, params IReadOnlyList<OutboxMessage> messages)
    {
        if (messages.Count == 0)
        {
            return;
        }

        var insert = new NpgsqlBatchCommand(
            """
            INSERT INTO outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
            SELECT slot, key, version, id, topic, headers::json, payload, created_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS m (slot, key, version, id, topic, headers, payload, created_at)
            """);
        insert.Parameters.Add(Array(messages, m => m.Slot, NpgsqlDbType.Smallint));
        insert.Parameters.Add(Array(messages, m => m.Key, NpgsqlDbType.Text));
        insert.Parameters.Add(Array(messages, m => m.Version, NpgsqlDbType.Bigint));
        insert.Parameters.Add(Array(messages, m => m.Id, NpgsqlDbType.Uuid));
        insert.Parameters.Add(Array(messages, m => m.Topic, NpgsqlDbType.Text));
        insert.Parameters.Add(Array(messages, m => m.Headers, NpgsqlDbType.Text));
        insert.Parameters.Add(Array(messages, m => m.Payload, NpgsqlDbType.Bytea));
        insert.Parameters.Add(Array(messages, m => m.CreatedAt.UtcDateTime, NpgsqlDbType.TimestampTz));
        batch.BatchCommands.Add(insert);
    }

    /// <summary>
    /// Makes the statements of the transaction that it begins find rows by their keys. The outbox is empty most of the time, and every table
    /// was when a new system prepared its statements; the planner takes such a table for tiny, and the plan that the connection keeps scans
    /// all that has come and died there since. JIT is off because a scan without alternative gets a price at which it would be compiled.
    /// </summary>
    internal static NpgsqlBatchCommand FindByKeys() => new("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)");

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
}
