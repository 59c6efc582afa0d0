using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>
/// Real PostgreSQL, RESP and Kafka servers for the tests of one project: <c>[CollectionDefinition("infrastructure")] public class
/// InfrastructureCollection : ICollectionFixture&lt;InfrastructureFixture&gt;;</c> in the test project, one start for all its classes.
/// </summary>
public sealed class InfrastructureFixture : IAsyncLifetime
{
    private AppHostRunner? _runner;
    private string? _server;
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> _templates = new();
    private int _databases;

    /// <summary>For faults: stops, kills and starts "postgres", "redis" and a real "kafka".</summary>
    public AppHostRunner Runner => _runner ?? throw new InvalidOperationException("The fixture has not started.");

    public string Redis { get; private set; } = "";

    public string Kafka { get; private set; } = "";

    /// <inheritdoc cref="AppHostRunner.KafkaIsReal"/>
    public bool KafkaIsReal => Runner.KafkaIsReal;

    public async Task InitializeAsync()
    {
        // Local processes where they run: fault tests kill a server and expect its data, but Aspire restarts an ended container as a new, empty one.
        _runner = await AppHostRunner.StartAsync(["--Infrastructure:Only=true", .. OperatingSystem.IsLinux() ? ["--Infrastructure:Mode=embedded"] : Array.Empty<string>()]);
        foreach (var resource in new[] { "postgres", "redis", "kafka" })
        {
            await _runner.WaitUntilHealthyAsync(resource);
        }

        _server = await _runner.ConnectionStringAsync("postgres");
        Redis = await _runner.ConnectionStringAsync("redis");
        Kafka = await _runner.ConnectionStringAsync("kafka");
        if (!KafkaIsReal)
        {
            // The same settings that the AppHost gives the services, as environment variables: every service hosted in this process reads them.
            Environment.SetEnvironmentVariable("Messaging__CreateTopics", "false");
            Environment.SetEnvironmentVariable("Messaging__Consumer__FetchWaitMaxMs", "10");
        }
    }

    public async Task DisposeAsync()
    {
        if (_runner is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await _runner.DisposeAsync();
        }
    }

    /// <summary>Makes a new, empty database, so that test classes do not see each other's rows.</summary>
    /// <param name="name">A hint for people who look at the server; a number makes it unique.</param>
    /// <returns>Its connection string.</returns>
    public Task<string> CreateDatabaseAsync(string name = "test") => CreateAsync(name, "template1");

    /// <summary>
    /// Makes a new database with all migrations of a service, as a copy of a prepared one: copying its files takes a fraction of the time
    /// that the statements take.
    /// </summary>
    /// <typeparam name="TDb">The service's DbContext.</typeparam>
    /// <param name="name">A hint for people who look at the server.</param>
    /// <returns>Its connection string.</returns>
    public async Task<string> CopyDatabaseAsync<TDb>(string name)
        where TDb : DbContext => await CreateAsync(name, await _templates.GetOrAdd(name, _ => new(() => PrepareAsync<TDb>(name))).Value);

    private async Task<string> PrepareAsync<TDb>(string name)
        where TDb : DbContext
    {
        // Without a pool: a template with open connections cannot be copied.
        var template = new NpgsqlConnectionStringBuilder(await CreateAsync(name + "_template", "template1")) { Pooling = false };
        var options = new DbContextOptionsBuilder<TDb>().UseNpgsql(template.ConnectionString).UseSnakeCaseNamingConvention().Options;
        await using var database = (TDb)Activator.CreateInstance(typeof(TDb), options)!;
        await database.Database.MigrateAsync();
        return template.Database!;
    }

    private async Task<string> CreateAsync(string name, string template)
    {
        var database = string.Create(CultureInfo.InvariantCulture, $"{name.ToLowerInvariant()}_{Interlocked.Increment(ref _databases)}");
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE \"{database}\" TEMPLATE \"{template}\"", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(_server) { Database = database }.ConnectionString;
    }
}
