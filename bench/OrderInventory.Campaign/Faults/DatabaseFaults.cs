using Npgsql;
using OrderInventory.Campaign.Servers;

namespace OrderInventory.Campaign.Faults;

/// <summary>Faults of PostgreSQL and its data, and of a broker's disk.</summary>
internal static class DatabaseFaults
{
    /// <summary>
    /// The tables that a next version changes while this one serves: it adds a nullable column, a column with a default, and an index.
    /// </summary>
    private static readonly Dictionary<string, string[]> s_migrated = new()
    {
        ["orders"] = ["orders", "order_lines", "outbox_messages", "idempotency_keys"],
        ["inventory"] = ["stock_levels", "reservations", "stock_movements", "outbox_messages"],
    };

    public static string AnyDatabase(Target target) => $"{(target.Random.Next(2) == 0 ? "orders" : "inventory")}-{target.Replicas[target.Random.Next(target.Replicas.Count)].Number}";

    /// <summary>
    /// Locks a table, as a careless migration does: connections wait until the pools are exhausted. A service that waits is killed in the middle of
    /// its work.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> LockAsync(Target target, string where, CancellationToken over)
    {
        var database = where[..where.LastIndexOf('-')];
        await using var connection = await ConnectAsync(target, database);
        await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
        await ExecuteAsync(connection, $"LOCK TABLE {s_migrated[database][0]} IN ACCESS EXCLUSIVE MODE");
        await Fault.WaitAsync(Fault.DisturbanceTime / 2, over);
        await ProcessFaults.Kill(target, where);
        await Fault.WaitAsync(Fault.DisturbanceTime / 2, over);
        return null;
    }

    /// <summary>Takes all of PostgreSQL's connections, so that no new one can be opened.</summary>
    public static async Task<IReadOnlyList<string>?> ExhaustAsync(Target target, string where, CancellationToken over)
    {
        var connections = new List<NpgsqlConnection>();
        try
        {
            while (connections.Count < 400)
            {
                connections.Add(await ConnectAsync(target, "customers"));
            }
        }
        catch (NpgsqlException)
        {
            // No connection is left.
        }

        await Fault.WaitAsync(Fault.DisturbanceTime, over);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return null;
    }

    /// <summary>
    /// Runs the next version's migration while this version serves, restarts a service of this version on the migrated schema, as after a rollback of
    /// the new version, and undoes the migration.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> MigrateAsync(Target target, string where, CancellationToken over)
    {
        var database = where[..where.LastIndexOf('-')];
        await using var connection = await ConnectAsync(target, database);
        foreach (var table in s_migrated[database])
        {
            await ExecuteAsync(connection, $"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS next_note text, ADD COLUMN IF NOT EXISTS next_rank integer NOT NULL DEFAULT 0");
            await ExecuteAsync(connection, $"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_{table}_next_rank ON {table} (next_rank)");
        }

        await ExecuteAsync(connection, "INSERT INTO \"__EFMigrationsHistory\" VALUES ('99991231000000_Next', '99.0.0') ON CONFLICT DO NOTHING");
        await ProcessFaults.Kill(target, where);
        await Fault.WaitAsync(Fault.DisturbanceTime, over);
        await ExecuteAsync(connection, "DELETE FROM \"__EFMigrationsHistory\" WHERE migration_id = '99991231000000_Next'");
        foreach (var table in s_migrated[database])
        {
            await ExecuteAsync(connection, $"DROP INDEX CONCURRENTLY IF EXISTS ix_{table}_next_rank");
            await ExecuteAsync(connection, $"ALTER TABLE {table} DROP COLUMN IF EXISTS next_note, DROP COLUMN IF EXISTS next_rank");
        }

        return null;
    }

    /// <summary>
    /// Loses PostgreSQL and restores it from a base backup that was made under load and from all of its WAL: nothing may be missing afterwards.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> RestoreAsync(Target target, CancellationToken over)
    {
        await target.Infrastructure.BackUpAsync();
        await Fault.WaitAsync(Fault.DisturbanceTime, over);
        await target.Infrastructure.RestoreAsync();
        return null;
    }

    /// <summary>Fills a server's disk: the server ends when it cannot write, and is restarted until there is space again.</summary>
    public static async Task<IReadOnlyList<string>?> FillDiskAsync(string folder, CancellationToken over)
    {
        using (Disk.Fill(folder))
        {
            await Fault.WaitAsync(Fault.DisturbanceTime, over);
        }

        return null;
    }

    public static async Task<NpgsqlConnection> ConnectAsync(Target target, string database)
    {
        var connection = new NpgsqlConnection($"{target.Infrastructure.Databases[database]};Pooling=false;Timeout=5;CommandTimeout=60");
        try
        {
            await connection.OpenAsync(CancellationToken.None);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
