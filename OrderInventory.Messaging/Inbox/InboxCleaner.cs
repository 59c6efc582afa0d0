using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// Forgets events after <see cref="MessagingOptions.InboxRetention"/>. A copy that comes later still (a publisher that was down for
/// longer than that, with its row unsent) meets the second line of defence: every handler compares the aggregate's version or a unique key of its own.
/// </summary>
internal sealed partial class InboxCleaner(NpgsqlDataSource database, MessagingOptions options, TimeProvider time, ILogger<InboxCleaner> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(10), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                // In steps, so that no lock and no transaction is long.
                while (await DeleteSomeAsync(stoppingToken) > 0)
                {
                }
            }
            catch (NpgsqlException exception)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task<int> DeleteSomeAsync(CancellationToken cancellationToken)
    {
        // Ids are UUIDv7, so the primary key is in the order of time and no second index is needed.
        await using var delete = database.CreateCommand(
            """
            DELETE FROM inbox_messages
            WHERE id IN (SELECT id FROM inbox_messages WHERE id < $1 AND handled_at < now() - $2 ORDER BY id LIMIT 10000)
            """);
        delete.Parameters.Add(new() { Value = Guid.CreateVersion7(time.GetUtcNow() - options.InboxRetention) });
        delete.Parameters.Add(new() { Value = options.InboxRetention });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old inbox rows could not be deleted; tried again later")]
    private partial void LogFailed(Exception exception);
}
