using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// Deletes inbox rows after <see cref="MessagingOptions.InboxRetention"/>. A duplicate that arrives even later (from a publisher that was down for
/// longer than that, with an unsent row) meets the second line of defence: every handler compares the aggregate's version or its own unique key.
/// </summary>
internal sealed class InboxCleaner(NpgsqlDataSource database, MessagingOptions options, TimeProvider time, ILogger<InboxCleaner> logger)
    : OldRowsCleaner("inbox rows", time, logger)
{
    protected override async Task<int> DeleteSomeAsync(CancellationToken cancellationToken)
    {
        // Ids are UUIDv7, so the primary key is in time order and no second index is needed.
        await using var delete = database.CreateCommand(
            """
            DELETE FROM inbox_messages
            WHERE id IN (SELECT id FROM inbox_messages WHERE id < $1 AND handled_at < now() - $2 ORDER BY id LIMIT 10000)
            """);
        delete.Parameters.Add(new() { Value = Guid.CreateVersion7(Time.GetUtcNow() - options.InboxRetention) });
        delete.Parameters.Add(new() { Value = options.InboxRetention });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
