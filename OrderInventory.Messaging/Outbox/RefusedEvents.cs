using Npgsql;

namespace OrderInventory.Messaging.Outbox;

/// <summary>This service's own events that the broker has permanently refused, for callers that can replace such an event.</summary>
public static class RefusedEvents
{
    /// <summary>
    /// Removes an event's dead letter, so that it cannot be replayed after the caller has resolved it in another way. Call it in the transaction
    /// that resolves it.
    /// </summary>
    /// <param name="connection">A connection in a transaction.</param>
    /// <param name="topic">The event's topic.</param>
    /// <param name="key">The event's key.</param>
    /// <param name="eventId">The event's <c>ce_id</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The size of the event's data in bytes; null when it was not refused or is already in the outbox again.</returns>
    public static async Task<int?> TakeAsync(NpgsqlConnection connection, string topic, Guid key, Guid eventId, CancellationToken cancellationToken)
    {
        // Lock the entry before checking the outbox: a replay locks the entry before it writes the outbox row.
        await using var find = new NpgsqlCommand(
            "SELECT length(payload) FROM dead_letters WHERE topic = $1 AND partition IS NULL AND event_id = $2 FOR UPDATE", connection)
        {
            Parameters = { new() { Value = topic }, new() { Value = eventId } },
        };
        if (await find.ExecuteScalarAsync(cancellationToken) is not int size)
        {
            return null;
        }

        await using var delete = new NpgsqlCommand(
            """
            DELETE FROM dead_letters WHERE topic = $1 AND partition IS NULL AND event_id = $2
                AND NOT EXISTS (SELECT FROM outbox_messages WHERE slot = $4 AND key = $3 AND id = $2)
            """,
            connection)
        {
            Parameters = { new() { Value = topic }, new() { Value = eventId }, new() { Value = key.ToString() }, new() { Value = OutboxMessage.SlotOf(key.ToString()) } },
        };
        return await delete.ExecuteNonQueryAsync(cancellationToken) == 0 ? null : size;
    }
}
