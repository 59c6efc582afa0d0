using Npgsql;

namespace OrderInventory.Messaging.Outbox;

/// <summary>This service's own events that the broker has refused for good, for callers that can replace one.</summary>
public static class RefusedEvents
{
    /// <summary>
    /// Takes an event's dead letter away, so that it cannot be replayed once the caller has resolved it otherwise. Call it in the transaction
    /// that goes that way.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="topic">The event's topic.</param>
    /// <param name="key">Its key.</param>
    /// <param name="eventId">Its <c>ce_id</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The size of its data in bytes; null when it was not refused, or is on its way again.</returns>
    public static async Task<int?> TakeAsync(NpgsqlConnection connection, string topic, Guid key, Guid eventId, CancellationToken cancellationToken)
    {
        // Lock first, look afterwards: a replay locks the entry before it writes the outbox row.
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
