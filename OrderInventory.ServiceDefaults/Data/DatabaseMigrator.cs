using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>What a service does with the schema of its database when it starts (<c>Database:Migrations</c>).</summary>
public enum MigrationMode
{
    /// <summary>It migrates, then it serves.</summary>
    AtStart,

    /// <summary>It migrates and ends with exit code 0: for a deployment step whose role may change the schema.</summary>
    Only,

    /// <summary>It waits until the database has been migrated by other means, then it serves: its role needs no right to change the schema.</summary>
    Never,
}

/// <summary>
/// Migrates before the rest of the service starts, while replicas of the previous version serve. One replica migrates at a time; others that start wait
/// for it. A replica also waits for a database that does not answer yet; until then the service is not ready. See docs/operations.md, "Upgrading".
/// </summary>
/// <param name="open">Opens a session with the database.</param>
/// <param name="mode">What is done at start.</param>
/// <param name="connectionString">The service's connection string.</param>
/// <param name="logger">Reports what the migrator waits for.</param>
internal sealed partial class DatabaseMigrator(
    Func<DbContext> open, MigrationMode mode, NpgsqlConnectionStringBuilder connectionString, ILogger<DatabaseMigrator> logger) : IHostedService
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    public bool EndsAfterwards => mode is MigrationMode.Only;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; !await TryAsync(attempt, cancellationToken); attempt++)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(attempt, s_longestPause.TotalSeconds)), cancellationToken);
        }

        if (EndsAfterwards)
        {
            LogDone();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> TryAsync(int attempt, CancellationToken cancellationToken)
    {
        try
        {
            await using var context = open();
            var database = context.Database;
            if (mode is MigrationMode.Never)
            {
                var pending = (await database.GetPendingMigrationsAsync(cancellationToken)).ToList();
                if (pending.Count > 0)
                {
                    LogPending(pending.Count, pending[0], attempt);
                    return false;
                }

                await ThrowIfSessionsAreSharedAsync(cancellationToken);
            }
            else if (!await MigrateAsync(database, cancellationToken))
            {
                LogBusy(attempt);
                return false;
            }

            var unknown = (await database.GetAppliedMigrationsAsync(cancellationToken)).Except(database.GetMigrations()).LastOrDefault();
            if (unknown is not null)
            {
                LogLater(unknown);
            }

            return true;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            LogLocked(MigrationSql.LockTimeout, attempt);
            return false;
        }
        catch (Exception exception) when (exception.IsTransientDatabaseFailure())
        {
            LogWaiting(exception, attempt);
            return false;
        }
    }

    /// <returns>False while another replica migrates.</returns>
    private async Task<bool> MigrateAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        var creator = database.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancellationToken))
        {
            await creator.CreateAsync(cancellationToken);
        }

        await ThrowIfSessionsAreSharedAsync(cancellationToken);

        // Changing or indexing a large table takes minutes. With the default timeout of 30 s it would be cancelled and restarted forever.
        database.SetCommandTimeout(0);
        await database.OpenConnectionAsync(cancellationToken);
        // EF Core's own lock ends with each transaction, and indexes are created outside a transaction. The lock is polled, because a concurrent
        // index build would wait for a statement that is waiting for this lock.
        if (!await database.SqlQueryRaw<bool>("SELECT pg_try_advisory_lock(hashtext('migrations')) AS \"Value\"").SingleAsync(cancellationToken))
        {
            return false;
        }

        try
        {
            await database.ExecuteSqlRawAsync(MigrationSql.SetTimeouts, cancellationToken);
            await database.MigrateAsync(cancellationToken);
            return true;
        }
        finally
        {
            // The connection returns to the pool without a reset.
            await database.ExecuteSqlRawAsync($"{MigrationSql.ResetTimeouts}; SELECT pg_advisory_unlock_all()", CancellationToken.None);
        }
    }

    /// <summary>
    /// Throws behind a pooler that lends connections per transaction: there, a prepared statement may be another service's of the same name, and a
    /// migration's lock may stay on a connection where nobody releases it. Only such a pooler can give two open sessions the same PostgreSQL process.
    /// </summary>
    private async Task ThrowIfSessionsAreSharedAsync(CancellationToken cancellationToken)
    {
        if (mode is MigrationMode.Never && connectionString.MaxAutoPrepare == 0)
        {
            return;
        }

        var settings = new NpgsqlConnectionStringBuilder(connectionString.ConnectionString) { Pooling = false, MaxAutoPrepare = 0 };
        // This check belongs to no trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var database = NpgsqlDataSource.Create(settings);
        await using var one = await database.OpenConnectionAsync(cancellationToken);
        if (await ProcessAsync(one) == one.ProcessID)
        {
            // This is PostgreSQL itself: a pooler gives its clients process numbers of its own.
            return;
        }

        await using var other = await database.OpenConnectionAsync(cancellationToken);
        // A pooler lends the connection that was returned last. Another client may take it in between, so this is tried more than once.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await ProcessAsync(one) == await ProcessAsync(other))
            {
                throw new InvalidOperationException(
                    $"The connection string of '{settings.Database}' leads to a pooler that assigns connections per transaction. Then a service needs "
                    + "Max Auto Prepare=0 in it and Database:Migrations=Never, and migrations need a connection to PostgreSQL itself: docs/operations.md, \"Servers of your own\".");
            }
        }

        async Task<int> ProcessAsync(NpgsqlConnection connection)
        {
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
            return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The database has all migrations; the service exits because Database:Migrations is Only")]
    private partial void LogDone();

    [LoggerMessage(Level = LogLevel.Information, Message = "Another replica is migrating the database (attempt {Attempt})")]
    private partial void LogBusy(int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer yet; migrations wait (attempt {Attempt})")]
    private partial void LogWaiting(Exception exception, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A migration needs a table that a long transaction has locked for {Timeout}; it releases its locks and tries again (attempt {Attempt})")]
    private partial void LogLocked(string timeout, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database lacks {Count} migrations, the first is {Migration}, and Database:Migrations is Never: waiting until it is migrated (attempt {Attempt})")]
    private partial void LogPending(int count, string migration, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A later version has migrated the database (last: {Migration}); this version works with it")]
    private partial void LogLater(string migration);
}
