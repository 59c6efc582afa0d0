using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Kafka;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.CrossService.Tests;

/// <summary>
/// A whole service on its own port and database, without a broker: what it would publish stays in its outbox until the test takes it, and
/// what the test passes to it goes into its inbox.
/// </summary>
/// <typeparam name="TOfService">Any type of the service; it only says which assembly to start.</typeparam>
internal sealed class Service<TOfService> : WebApplicationFactory<TOfService>, IService
    where TOfService : class
{
    private readonly string _database;
    private readonly string _connectionString;
    private readonly (string Name, string Value)[] _settings;

    public Service(string database, string connectionString, params (string Name, string Value)[] settings)
    {
        (_database, _connectionString, _settings) = (database, connectionString, settings);
        UseKestrel();
        StartServer();
        Http = CreateClient();
        Database = NpgsqlDataSource.Create(connectionString);
    }

    public HttpClient Http { get; }

    public NpgsqlDataSource Database { get; }

    public string Address => ClientOptions.BaseAddress.ToString();

    /// <summary>Sets another service's address, which is known only after the start.</summary>
    public void SetAddress(string service, string address) => Services.GetRequiredService<IConfiguration>()[$"services:{service}:http:0"] = address;

    public T Hosted<T>() => Services.GetServices<IHostedService>().OfType<T>().Single();

    public Task ReceiveAsync(IReadOnlyList<EventRecord> records) =>
        Services.GetRequiredService<InboxProcessor>().ProcessAsync(records, CancellationToken.None);

    protected override void ConfigureClient(HttpClient client)
    {
        base.ConfigureClient(client);
        client.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("urls", "http://127.0.0.1:0");
        TestAuthority.Shared.Configure(builder);
        builder.UseSetting($"ConnectionStrings:{_database}", _connectionString);
        foreach (var (name, value) in _settings)
        {
            builder.UseSetting(name, value);
        }

        builder.ConfigureTestServices(services =>
        {
            foreach (var carrier in services.Where(s => s.ImplementationType == typeof(OutboxRelay) || s.ImplementationType == typeof(EventConsumer)).ToList())
            {
                services.Remove(carrier);
            }
        });
    }

    public override async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await base.DisposeAsync();
        await Database.DisposeAsync();
    }
}

internal interface IService : IAsyncDisposable
{
    HttpClient Http { get; }
    NpgsqlDataSource Database { get; }
    Task ReceiveAsync(IReadOnlyList<EventRecord> records);
}
