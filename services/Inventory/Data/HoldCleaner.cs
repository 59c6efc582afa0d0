using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>Deletes holds that ended more than a week ago.</summary>
internal sealed class HoldCleaner(NpgsqlDataSource database, TimeProvider time, ILogger<HoldCleaner> logger) : OldRowsCleaner("holds", time, logger)
{
    protected override async Task<int> DeleteSomeAsync(CancellationToken cancellationToken)
    {
        // Ids are UUIDv7, so the primary key finds them by age.
        await using var delete = database.CreateCommand(
            """
            DELETE FROM holds WHERE id IN (
                SELECT id FROM holds WHERE id < $1 AND status <> 'live' AND expires_at < now() - interval '7 days' ORDER BY id LIMIT 1000)
            """);
        delete.Parameters.Add(new() { Value = Guid.CreateVersion7(Time.GetUtcNow() - TimeSpan.FromDays(7)) });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
