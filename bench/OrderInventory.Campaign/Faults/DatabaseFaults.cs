using Npgsql;
using OrderInventory.Campaign.Servers;

namespace OrderInventory.Campaign.Faults;

/// <summary>What is done to PostgreSQL and to what it keeps, and to the disk of a broker.</summary>
internal static class DatabaseFaults
{
    /// <summary>What a next version changes while this one serves: a column that may be empty, one that has a value in each row, and an index.</summary>
    private static readonly Dictionary<string, string[]> s_migrated = new()
    {
        ["orders"] = ["orders", "order_lines", "outbox_messages", "idempotency_keys"],
        ["inventory"] = ["stock_levels", "reservations", "stock_movements", "outbox_messages"],
    };

    public static string AnyDatabase(Target target) => $"{(target.Random.Next(2) == 0 ? "orders" : "inventory")}-{target.Cells[target.Random.Next(target.Cells.Count)].Number}";

    /// <summary>
    /// A table that somebody locks, as a careless migration does: connections wait until the pools are empty. A service that waits dies with what it has
    /// in its hands.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> LockAsync(Target target, string where, CancellationToken over)
    {
        var database = where[..where.LastIndexOf('-')];
        await using var connection = await ConnectAsync(target, database);
        await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
        await ExecuteAsync(connection, $"LOCK TABLE {s_migrated[database][0]} IN ACCESS EXCLUSIVE MODE");
        await Fault.WaitAsync(Fault.Spoilt / 2, over);
        await ProcessFaults.Kill(target, where);
        await Fault.WaitAsync(Fault.Spoilt / 2, over);
        return null;
    }

    /// <summary>PostgreSQL has no connection left for anybody new.</summary>
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
            // Now there is none.
        }

        await Fault.WaitAsync(Fault.Spoilt, over);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return null;
    }

    /// <summary>
    /// The next version's migration runs while this version serves, a service of this version starts on what it has made, as when the new one is taken back,
    /// and the migration is undone.
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
        await Fault.WaitAsync(Fault.Spoilt, over);
        await ExecuteAsync(connection, "DELETE FROM \"__EFMigrationsHistory\" WHERE migration_id = '99991231000000_Next'");
        foreach (var table in s_migrated[database])
        {
            await ExecuteAsync(connection, $"DROP INDEX CONCURRENTLY IF EXISTS ix_{table}_next_rank");
            await ExecuteAsync(connection, $"ALTER TABLE {table} DROP COLUMN IF EXISTS next_note, DROP COLUMN IF EXISTS next_rank");
        }

        return null;
    }

    /// <summary>
    /// PostgreSQL is lost and set up anew from a base backup that was made under load, and from all of its WAL: nothing may be missing then.
    /// </summary>
    public static async Task<IReadOnlyList<string>?> RestoreAsync(Target target, CancellationToken over)
    {
        await target.Infrastructure.BackUpAsync();
        await Fault.WaitAsync(Fault.Spoilt, over);
        await target.Infrastructure.RestoreAsync();
        return null;
    }

    /// <summary>A server that finds no room for what it must write ends, and is started again until there is room.</summary>
    public static async Task<IReadOnlyList<string>?> FillDiskAsync(string folder, CancellationToken over)
    {
        using (Disk.Fill(folder))
        {
            await Fault.WaitAsync(Fault.Spoilt, over);
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
