using Microsoft.EntityFrameworkCore.Migrations;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>What lets replicas of the previous version serve while a migration runs.</summary>
public static class MigrationSql
{
    /// <summary>
    /// How long a migration waits for a table lock. Everything else that needs the table queues behind it, so waiting for a report of several minutes
    /// would stop the service. After this time the migration releases its locks and is retried.
    /// </summary>
    internal const string LockTimeout = "2s";

    /// <summary>Limits waits but not work: a <c>statement_timeout</c> of the role or the server is meant for requests.</summary>
    internal const string SetTimeouts = $"{LimitWaits}; SET statement_timeout = 0";

    internal const string ResetTimeouts = "RESET lock_timeout; RESET statement_timeout";

    private const string LimitWaits = $"SET lock_timeout = '{LockTimeout}'";

    /// <summary>
    /// Creates an index on an existing table while others write to it. It runs outside the migration's transaction: after an interruption the
    /// migration starts again from its first statement.
    /// </summary>
    /// <param name="migration">The migration. Statements before this one must be repeatable; those after it are one transaction.</param>
    /// <param name="name">The index.</param>
    /// <param name="definition">What follows ON: the table, the columns, a condition.</param>
    public static void CreateIndexConcurrently(this MigrationBuilder migration, string name, string definition)
    {
        // It waits for every older transaction, and nothing queues behind that wait.
        migration.Sql("SET lock_timeout = 0", suppressTransaction: true);
        // An interrupted attempt leaves an invalid index of that name.
        migration.Sql($"DROP INDEX CONCURRENTLY IF EXISTS {name}", suppressTransaction: true);
        migration.Sql($"CREATE INDEX CONCURRENTLY {name} ON {definition}", suppressTransaction: true);
        migration.Sql(LimitWaits, suppressTransaction: true);
    }
}
