using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.Customers.Features;
using OrderInventory.Customers.Http;
using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[CollectionDefinition(Name)]
public sealed class CustomersCollection : ICollectionFixture<CustomersApp>
{
    public const string Name = "Customers";
}

/// <summary>The service on its own port, with its own database and Kafka. Everything that it logs, at the finest level, is kept.</summary>
public sealed class CustomersApp : IAsyncLifetime
{
    private readonly InfrastructureFixture _infrastructure = new();
    private Replica _replica = null!;
    private string _connectionString = "";

    public ApiClient Api => _replica.Api;
    public NpgsqlDataSource Database { get; private set; } = null!;
    public string Kafka => _infrastructure.Kafka;
    public LogKeeper Logs { get; } = new();

    public async Task InitializeAsync()
    {
        await _infrastructure.InitializeAsync();
        _connectionString = await _infrastructure.CreateDatabaseAsync("customers");
        Database = NpgsqlDataSource.Create(_connectionString);
        _replica = Start(_connectionString);
    }

    public async Task DisposeAsync()
    {
        if (_replica is not null)
        {
            await _replica.DisposeAsync();
        }

        if (Database is not null)
        {
            await Database.DisposeAsync();
        }

        await _infrastructure.DisposeAsync();
    }

    /// <summary>Starts another replica on its own database, which no other test uses.</summary>
    public async Task<(Replica Replica, string ConnectionString)> StartAloneAsync()
    {
        var connectionString = await _infrastructure.CreateDatabaseAsync("customers_alone");
        return (Start(connectionString), connectionString);
    }

    /// <summary>Starts another replica, whose database belongs to an ordinary role.</summary>
    public async Task<Replica> StartOwnedAsync()
    {
        var database = new NpgsqlConnectionStringBuilder(await _infrastructure.CreateDatabaseAsync("customers_owned"));
        var role = $"owner_{Guid.CreateVersion7():N}";
        await using (var setup = Database.CreateCommand($"CREATE ROLE {role} LOGIN PASSWORD '{role}'; ALTER DATABASE \"{database.Database}\" OWNER TO {role}"))
        {
            await setup.ExecuteNonQueryAsync();
        }

        (database.Username, database.Password) = (role, role);
        return Start(database.ConnectionString);
    }

    /// <summary>A database without a running service, for a migration.</summary>
    public Task<string> CreateDatabaseAsync() => _infrastructure.CreateDatabaseAsync("customers_before");

    /// <summary>Starts another replica on the same database, which trusts another authority.</summary>
    public Replica StartTrusting(params (string Name, string Value)[] settings) => Start(_connectionString, settings);

    /// <summary>A client without a token.</summary>
    public HttpClient CreateAnonymousClient() => new() { BaseAddress = _replica.Factory.ClientOptions.BaseAddress };

    public static string NewEmail() => $"maria.{Guid.CreateVersion7():N}@example.com";

    /// <summary>A valid request, which a test may spoil.</summary>
    public static JsonObject NewCustomer(string? email = null) => new()
    {
        ["name"] = "Maria Anders",
        ["email"] = email ?? NewEmail(),
        ["phone"] = "+49 30 0074321",
    };

    public async Task<ApiResponse> CreateAsync(Action<JsonObject>? change = null)
    {
        var customer = NewCustomer();
        change?.Invoke(customer);
        return (await Api.PostAsync("/api/customers", customer.ToJsonString())).ShouldBe(201);
    }

    /// <summary>The text that a statement on the service's database returns.</summary>
    public async Task<string?> ReadAsync(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return (await command.ExecuteScalarAsync())?.ToString();
    }

    /// <summary>The first events with this key, in the order of the topic.</summary>
    public async Task<IReadOnlyList<SeenRecord>> ReadEventsAsync(Guid key, int count)
    {
        using var probe = new KafkaProbe(Kafka);
        return await probe.ReadAsync("customer.updated", key.ToString(), seen => seen.Count >= count);
    }

    private Replica Start(string connectionString, params (string Name, string Value)[] settings)
    {
        // Any public type of the service identifies its assembly; Program would also be the AppHost's.
        var factory = new WebApplicationFactory<CustomerResponse>().WithWebHostBuilder(host =>
        {
            host.UseSetting("urls", "http://127.0.0.1:0");
            host.UseSetting("ConnectionStrings:customersdb", connectionString);
            host.UseSetting("ConnectionStrings:kafka", Kafka);
            TestAuthority.Shared.Configure(host);
            foreach (var (name, value) in settings)
            {
                host.UseSetting(name, value);
            }

            host.ConfigureLogging(logging => logging.AddProvider(Logs));
        });
        // A real server on a free port: its limits and headers are tested, not those of a test double.
        factory.UseKestrel();
        factory.StartServer();
        var client = factory.CreateClient();
        client.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
        return new(factory, new(client));
    }

    public sealed record Replica(WebApplicationFactory<CustomerResponse> Factory, ApiClient Api) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Factory.DisposeAsync();
    }
}
