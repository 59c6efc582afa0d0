using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Data;

public static class ServiceDatabaseExtensions
{
    /// <summary>
    /// How PostgreSQL plans a service's statements, all of which find their rows by keys and indexes. By default the planner takes a non-empty outbox
    /// for empty and scans all of it, and plans a statement with an array again each time. See docs/adr/0037-planner-settings.md.
    /// </summary>
    public const string PlannerSettings = "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan";

    /// <summary>
    /// Adds the service's own PostgreSQL database: one <see cref="NpgsqlDataSource"/> that EF Core and the set-based SQL share, migrations
    /// at start, and the check that makes the service unready without the database. Register it before anything that uses the database at start.
    /// </summary>
    public static void AddServiceDatabase<TDb>(this IHostApplicationBuilder builder, string connectionName)
        where TDb : DbContext
    {
        var configured = builder.Configuration.GetConnectionString(connectionName)
            ?? throw new InvalidOperationException($"ConnectionStrings:{connectionName} is not set: the service has no database.");
        var connectionString = ConnectionString(configured);
        connectionString.ApplicationName ??= builder.Environment.ApplicationName;
        builder.Services.AddNpgsqlDataSource(connectionString.ConnectionString, database => database.ConfigureTracing(tracing => tracing
            // A statement belongs to the trace of the operation that sent it. One that a timer sends every second would start a trace each time.
            .ConfigureCommandFilter(_ => Activity.Current is not null)
            .ConfigureBatchFilter(_ => Activity.Current is not null)
            .EnablePhysicalOpenTracing(false)));
        // The factory is for work that outlives a request, such as a cache load that several requests wait for.
        builder.Services.AddPooledDbContextFactory<TDb>((services, options) => options
            .UseNpgsql(services.GetRequiredService<NpgsqlDataSource>())
            .UseSnakeCaseNamingConvention()
            .AddInterceptors(services.GetServices<IInterceptor>())
            // A conflict is a normal answer, not an error, and a real error is logged where it ends the request.
            .ConfigureWarnings(warnings => warnings.Log(
                (CoreEventId.SaveChangesFailed, LogLevel.Debug),
                (CoreEventId.OptimisticConcurrencyException, LogLevel.Debug),
                (CoreEventId.QueryIterationFailed, LogLevel.Debug),
                (RelationalEventId.CommandError, LogLevel.Debug),
                // Operations that a migration runs outside its transaction are repeatable (MigrationSql).
                (RelationalEventId.NonTransactionalMigrationOperationWarning, LogLevel.Debug))));
        builder.Services.TryAddScoped(services => services.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContext());
        builder.EnrichNpgsqlDbContext<TDb>(settings =>
        {
            // EF's retry does not work with our own transactions; the code that runs a transaction retries all of it.
            settings.DisableRetry = true;
            // Our own readiness check below replaces EF's.
            settings.DisableHealthChecks = true;
        });
        var migrations = builder.Configuration.GetValue("Database:Migrations", MigrationMode.AtStart);
        builder.Services.AddSingleton(services => new DatabaseMigrator(
            services.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContext, migrations, connectionString, services.GetRequiredService<ILogger<DatabaseMigrator>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<DatabaseMigrator>());
        builder.Services.AddHealthChecks().AddCheck<DatabaseHealthCheck>("database");
    }

    /// <summary>How a service uses its connections, where the configured connection string does not say otherwise.</summary>
    public static NpgsqlConnectionStringBuilder ConnectionString(string configured)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            // Statements used twice are prepared: PostgreSQL then plans them once per connection.
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            // Nothing here sets session state, so a returned connection needs no DISCARD ALL.
            NoResetOnClose = true,
            Timeout = 5,
            // A few connections keep a database busy. More of them only wait for each other there, each makes its own plans, and every
            // replica of every service opens as many.
            MaxPoolSize = 25,
            Options = PlannerSettings,
        };
        foreach (var (keyword, value) in new NpgsqlConnectionStringBuilder(configured))
        {
            settings[keyword] = value;
        }

        return settings;
    }
}

/// <summary>Checks only that the database answers: migrations ran before the server started listening.</summary>
internal sealed class DatabaseHealthCheck(NpgsqlDataSource database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Polling /health must not make a trace each time.
        using var quiet = SuppressInstrumentationScope.Begin();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(3));
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(timeout.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.", exception);
        }
    }
}
