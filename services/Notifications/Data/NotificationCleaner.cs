using Microsoft.Extensions.Options;
using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// Deletes notifications, with the addresses and texts in them, after <see cref="NotificationOptions.Retention"/>; those to webhooks as
/// soon as their event is no longer kept, because they cannot be resent then. Pending ones are kept.
/// </summary>
internal sealed class NotificationCleaner(
    NpgsqlDataSource database, IOptions<NotificationOptions> options, TimeProvider time, ILogger<NotificationCleaner> logger)
    : OldRowsCleaner("notifications", time, logger)
{
    protected override async Task<int> DeleteSomeAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        return await DeleteAsync("channel <> 'webhook'", now - options.Value.Retention, cancellationToken)
            + await DeleteAsync("channel = 'webhook'", now - WebhookQueue.LogRetention, cancellationToken);
    }

    private async Task<int> DeleteAsync(string which, DateTimeOffset before, CancellationToken cancellationToken)
    {
        // Ids are UUIDv7, so the primary key finds them by their age.
        await using var delete = database.CreateCommand(
            $"DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE id < $1 AND {which} AND status <> 'pending' ORDER BY id LIMIT 1000)");
        delete.Parameters.Add(new() { Value = Guid.CreateVersion7(before) });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
