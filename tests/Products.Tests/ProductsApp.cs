using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Npgsql;
using OrderInventory.Products.Features;
using OrderInventory.Products.Http;
using OrderInventory.TestSupport;
using StackExchange.Redis;

namespace OrderInventory.Products.Tests;

[CollectionDefinition(Name)]
public sealed class ProductsCollection : ICollectionFixture<ProductsApp>
{
    public const string Name = "Products";
}

/// <summary>The service on its own port, with its own database, Kafka, a Redis that can be made unreachable, and a fake Orders.</summary>
public sealed class ProductsApp : IAsyncLifetime
{
    private readonly InfrastructureFixture _infrastructure = new();
    private string _connectionString = "";
    private string _redis = "";
    private Replica _replica = null!;

    public ApiClient Api => _replica.Api;
    public Uri Address => _replica.Factory.ClientOptions.BaseAddress;
    public NpgsqlDataSource Database { get; private set; } = null!;
    public TcpProxy Redis { get; private set; } = null!;
    public FakeOrders Orders { get; } = new();
    public string Kafka => _infrastructure.Kafka;
    public string RedisAddress => _infrastructure.Redis;

    public async Task InitializeAsync()
    {
        await _infrastructure.InitializeAsync();
        _connectionString = await _infrastructure.CreateDatabaseAsync("products");
        Database = NpgsqlDataSource.Create(_connectionString);
        var redis = ConfigurationOptions.Parse(RedisAddress);
        var server = (IPEndPoint)redis.EndPoints.Single();
        Redis = new(server.Address.ToString(), server.Port);
        Redis.Start();
        redis.EndPoints.Clear();
        redis.EndPoints.Add(IPAddress.Loopback, Redis.Port);
        _redis = redis.ToString(includePassword: true);
        await Orders.StartAsync();
        _replica = Start(_connectionString, Orders.Address);
    }

    public async Task DisposeAsync()
    {
        if (_replica is not null)
        {
            await _replica.DisposeAsync();
        }

        await Orders.DisposeAsync();
        Redis?.Dispose();
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }

        await _infrastructure.DisposeAsync();
    }

    /// <summary>Starts another replica on the same database, with another address of Orders.</summary>
    public Replica StartReplica(string ordersAddress) => Start(_connectionString, ordersAddress);

    /// <summary>Starts another replica on its own database, which no other test uses.</summary>
    public async Task<(Replica Replica, string ConnectionString)> StartAloneAsync()
    {
        var connectionString = await _infrastructure.CreateDatabaseAsync("products_alone");
        return (Start(connectionString, Orders.Address), connectionString);
    }

    /// <summary>Starts another replica that trusts this authority; none if it is null.</summary>
    public Replica StartTrusting(TestAuthority? authority, params (string Name, string Value)[] settings) => Start(
        _connectionString, Orders.Address, [.. authority?.Settings ?? [("Authentication:Authority", "")], ("Authentication:RefreshInterval", "00:00:01"), .. settings]);

    public static string NewSku() => $"SKU-{Guid.CreateVersion7()}";

    /// <summary>A valid request, which a test may spoil.</summary>
    public static JsonObject NewProduct(string? sku = null) => new()
    {
        ["sku"] = sku ?? NewSku(),
        ["name"] = "Chai",
        ["description"] = "10 boxes x 20 bags",
        ["category"] = "beverages",
        ["price"] = new JsonObject { ["amount"] = 18.00m, ["currency"] = "EUR" },
    };

    public async Task<ApiResponse> CreateAsync(Action<JsonObject>? change = null)
    {
        var product = NewProduct();
        change?.Invoke(product);
        return (await Api.PostAsync("/api/products", product.ToJsonString())).ShouldBe(201);
    }

    /// <summary>The number that a statement on the service's database returns.</summary>
    public async Task<long> CountAsync(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The first events with this key, in the order of the topic.</summary>
    public async Task<IReadOnlyList<SeenRecord>> ReadEventsAsync(Guid key, int count)
    {
        using var probe = new KafkaProbe(Kafka);
        return await probe.ReadAsync("product.updated", key.ToString(), seen => seen.Count >= count);
    }

    private Replica Start(string connectionString, string ordersAddress, params (string Name, string Value)[] settings)
    {
        // Any public type of the service identifies its assembly; Program would also be the AppHost's.
        var factory = new WebApplicationFactory<ProductResponse>().WithWebHostBuilder(host =>
        {
            host.UseSetting("urls", "http://127.0.0.1:0");
            host.UseSetting("ConnectionStrings:productsdb", connectionString);
            host.UseSetting("ConnectionStrings:redis", _redis);
            host.UseSetting("ConnectionStrings:kafka", Kafka);
            TestAuthority.Shared.Configure(host);
            host.UseSetting("services:orders:http:0", ordersAddress);
            foreach (var (name, value) in settings)
            {
                host.UseSetting(name, value);
            }
        });
        // A real server on a free port: its limits and headers are tested, not those of a test double.
        factory.UseKestrel();
        factory.StartServer();
        var client = factory.CreateClient();
        client.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
        return new(factory, new(client));
    }

    public sealed record Replica(WebApplicationFactory<ProductResponse> Factory, ApiClient Api) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Factory.DisposeAsync();
    }
}
