using Microsoft.EntityFrameworkCore.Migrations;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>What migrations do so that the version before can go on serving meanwhile.</summary>
public static class MigrationSql
{
    /// <summary>
    /// How long a migration waits for a table. Whoever wants the table meanwhile waits behind it, so a report of several minutes would stop the
    /// service. The migration releases its locks instead and tries again.
    /// </summary>
    internal const string LockTimeout = "2s";

    internal const string LimitWaits = $"SET lock_timeout = '{LockTimeout}'";

    /// <summary>
    /// Makes an index of a table that grows, while others write to it. Not in the migration's transaction: when it is ended on its way, the next start makes
    /// the index anew, and what stands before it in the migration is done already.
    /// </summary>
    /// <param name="migration">The migration, whose other statements can be repeated or come after it.</param>
    /// <param name="name">The index.</param>
    /// <param name="definition">What follows ON: the table, the columns, a condition.</param>
    public static void CreateIndexConcurrently(this MigrationBuilder migration, string name, string definition)
    {
        // It waits for every older transaction, and nothing queues behind that wait.
        migration.Sql("SET lock_timeout = 0", suppressTransaction: true);
        // An attempt that was interrupted leaves an invalid index of that name.
        migration.Sql($"DROP INDEX CONCURRENTLY IF EXISTS {name}", suppressTransaction: true);
        migration.Sql($"CREATE INDEX CONCURRENTLY {name} ON {definition}", suppressTransaction: true);
        migration.Sql(LimitWaits, suppressTransaction: true);
    }
}
