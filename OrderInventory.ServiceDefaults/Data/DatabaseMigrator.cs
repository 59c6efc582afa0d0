using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>What a service does about the schema of its database when it starts (<c>Database:Migrations</c>).</summary>
public enum MigrationMode
{
    /// <summary>It migrates, then it serves.</summary>
    AtStart,

    /// <summary>It migrates and ends, with exit code 0: a step of a deployment, with a role that may change the schema.</summary>
    Only,

    /// <summary>It waits until somebody else has migrated, then it serves: its role needs no right to change the schema.</summary>
    Never,
}

/// <summary>
/// Migrates before the rest of the service starts, while replicas of the previous version serve. One replica migrates at a time; others that start wait
/// for it. So they do for a database that does not answer yet: the service is not ready until then. See docs/operations.md, "Upgrading".
/// </summary>
/// <param name="open">A session with the database.</param>
/// <param name="mode">What is done at start.</param>
/// <param name="connectionString">The service's.</param>
/// <param name="logger">Says what is waited for.</param>
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

        // A large table takes minutes to change or to index. With the default timeout of 30 s it would be cancelled and started again for ever.
        database.SetCommandTimeout(0);
        await database.OpenConnectionAsync(cancellationToken);
        // EF Core's own lock ends with each transaction, and indexes are made outside of one. Polled, because a concurrent index build would wait for a
        // statement that waits for this lock.
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
            // The connection goes back to the pool as it is.
            await database.ExecuteSqlRawAsync($"{MigrationSql.ResetTimeouts}; SELECT pg_advisory_unlock_all()", CancellationToken.None);
        }
    }

    /// <summary>
    /// Behind a pooler that lends connections for a transaction, a prepared statement may be another service's of the same name, and a migration's lock
    /// stays where nobody releases it. Two sessions that are open at once never have the same process in PostgreSQL, unless such a pooler is between.
    /// </summary>
    private async Task ThrowIfSessionsAreSharedAsync(CancellationToken cancellationToken)
    {
        if (mode is MigrationMode.Never && connectionString.MaxAutoPrepare == 0)
        {
            return;
        }

        var settings = new NpgsqlConnectionStringBuilder(connectionString.ConnectionString) { Pooling = false, MaxAutoPrepare = 0 };
        // It belongs to no trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var database = NpgsqlDataSource.Create(settings);
        await using var one = await database.OpenConnectionAsync(cancellationToken);
        if (await ProcessAsync(one) == one.ProcessID)
        {
            // PostgreSQL itself: a pooler gives its clients numbers of its own.
            return;
        }

        await using var other = await database.OpenConnectionAsync(cancellationToken);
        // A pooler lends what was given back last. Somebody else may be quicker, so it is asked more than once.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await ProcessAsync(one) == await ProcessAsync(other))
            {
                throw new InvalidOperationException(
                    $"The connection string of '{settings.Database}' leads to a pooler that lends connections for a transaction. There, a service needs "
                    + "Max Auto Prepare=0 in it and Database:Migrations=Never, and migrations need a connection to PostgreSQL itself: docs/operations.md, \"Servers of your own\".");
            }
        }

        async Task<int> ProcessAsync(NpgsqlConnection connection)
        {
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
            return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The database has all migrations; the service ends, because Database:Migrations is Only")]
    private partial void LogDone();

    [LoggerMessage(Level = LogLevel.Information, Message = "Another replica migrates the database (attempt {Attempt})")]
    private partial void LogBusy(int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer yet; migrations wait (attempt {Attempt})")]
    private partial void LogWaiting(Exception exception, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A migration needs a table that a long transaction has kept for {Timeout}; it releases its locks and tries again (attempt {Attempt})")]
    private partial void LogLocked(string timeout, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database lacks {Count} migrations, the first is {Migration}, and Database:Migrations is Never: waiting until it is migrated (attempt {Attempt})")]
    private partial void LogPending(int count, string migration, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A later version has migrated the database (last: {Migration}); this version works with it")]
    private partial void LogLater(string migration);
}
