using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A replica of a small service with all parts of the messaging: outbox, inbox, dead letters with their API, health.</summary>
internal sealed class TestService : IAsyncDisposable
{
    /// <summary>The name of a service's data source in Npgsql's metrics; the test's own data source does not have it.</summary>
    public const string DatabaseName = "service";

    private readonly WebApplication _app;

    private TestService(WebApplication app, LogMemory log)
    {
        _app = app;
        Log = log;
        Client = new HttpClient { BaseAddress = new(app.Urls.First()), DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public LogMemory Log { get; }

    public ThingsHandler Handler => Services.GetRequiredService<ThingsHandler>();

    /// <summary>For tests that must define exactly which records form a batch, which no broker allows.</summary>
    public Task ProcessAsync(params IReadOnlyList<EventRecord> batch) => Services.GetRequiredService<InboxProcessor>().ProcessAsync(batch, CancellationToken.None);

    /// <summary>Writes messages in a transaction of this replica; pass them to its relay with <see cref="HandOver"/>.</summary>
    public async Task<OutboxWrite> WriteAsync(params IReadOnlyList<OutboxMessage> messages)
    {
        await using var batch = Services.GetRequiredService<NpgsqlDataSource>().CreateBatch();
        return await batch.WriteAsync(messages, CancellationToken.None);
    }

    public void HandOver(OutboxWrite write) => Services.GetRequiredService<OutboxSignal>().Committed(write);

    public static async Task<TestService> StartAsync(TestBed bed, BeforeHandling before, IEnumerable<(string Name, string Value)> settings)
    {
        var builder = WebApplication.CreateBuilder();
        var log = new LogMemory();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:kafka", bed.Broker),
            new("Messaging:Group", bed.Group),
            new("Messaging:Partitions", TestBed.Partitions),
            new("Messaging:CreateTopics", bed.MakesTopics ? "false" : "true"),
            // Tests write rows from outside, and those commits do not wake the relay.
            new("Messaging:IdlePoll", "00:00:00.050"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings.Concat(TestAuthority.Shared.Settings).Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)));

        builder.AddServiceDefaults();
        builder.Services.AddNpgsqlDataSource(
            new NpgsqlConnectionStringBuilder(bed.ConnectionString) { Options = ServiceDatabaseExtensions.PlannerSettings }.ConnectionString,
            database => database.Name = DatabaseName);
        builder.Services.AddDbContextFactory<ThingsDb>((services, options) => options
            .UseNpgsql(services.GetRequiredService<NpgsqlDataSource>())
            .UseSnakeCaseNamingConvention()
            .AddInterceptors(services.GetServices<IInterceptor>()));
        builder.Services.AddSingleton(before);
        builder.Services.AddSingleton(bed.Noted);
        builder.AddMessaging("things", messaging => messaging
            .Uses(bed.Noted.Topic)
            .Uses(bed.Changed.Topic)
            .Consumes<ThingChanged, ThingsHandler>(
                bed.Changed.Topic, ThingChanged.Type, ThingsJson.Default.ThingChanged, thing => thing.Concerns, thing => thing.Problem()));

        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapDeadLetters("things");
        await app.StartAsync();
        return new(app, log);
    }

    public async Task<HealthReportEntry> ConsumerHealthAsync()
        => (await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "consumer")).Entries["consumer"];

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>Keeps what a service logs, for the few tests that check it.</summary>
internal sealed class LogMemory : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Writer(_lines, categoryName);

    public void Dispose()
    {
    }

    private sealed class Writer(ConcurrentQueue<string> lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => lines.Enqueue($"{logLevel} {category}: {formatter(state, exception)} {exception}");
    }
}
