using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrderInventory.Orders.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[CollectionDefinition(Name)]
public class OrdersCollection : ICollectionFixture<InfrastructureFixture>
{
    public const string Name = "orders";
}

/// <summary>The Orders service on its own database, in its own consumer group; the test plays the other services.</summary>
internal sealed class OrdersApp : WebApplicationFactory<Program>
{
    private readonly InfrastructureFixture _infrastructure;
    private readonly string _database;
    private readonly (string Key, string Value)[] _settings;
    private readonly string _group;
    private readonly bool _isReplica;

    private OrdersApp(InfrastructureFixture infrastructure, string database, Neighbours neighbours, (string, string)[] settings, string? group = null)
    {
        _group = group ?? "orders-" + Guid.CreateVersion7().ToString("N");
        _isReplica = group is not null;
        _infrastructure = infrastructure;
        _database = database;
        Neighbours = neighbours;
        _settings = settings;
    }

    public Neighbours Neighbours { get; }

    /// <summary>This replica's clock.</summary>
    public ShiftedClock Clock { get; } = new();

    public string ConnectionString => _database;

    public NpgsqlDataSource Database => field ??= NpgsqlDataSource.Create(_database);

    public KafkaProbe Kafka => field ??= new(_infrastructure.Kafka);

    public static async Task<OrdersApp> StartAsync(InfrastructureFixture infrastructure, params (string Key, string Value)[] settings) =>
        await StartAsync(infrastructure, await infrastructure.CopyDatabaseAsync<OrdersDb>("orders"), settings);

    /// <summary>Starts on an existing database.</summary>
    public static async Task<OrdersApp> StartAsync(InfrastructureFixture infrastructure, string database, params (string Key, string Value)[] settings)
    {
        var app = new OrdersApp(infrastructure, database, await Neighbours.StartAsync(), settings);
        await app.WaitUntilReadyAsync();
        return app;
    }

    /// <summary>Starts a second replica on the same database and in the same consumer group. Dispose it before this one.</summary>
    public async Task<OrdersApp> StartReplicaAsync()
    {
        var replica = new OrdersApp(_infrastructure, _database, Neighbours, _settings, _group);
        await replica.WaitUntilReadyAsync();
        return replica;
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = CreateClient();
        await Eventually.TrueAsync(async () => (await http.GetAsync("/health")).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "Orders is ready");
    }

    protected override void ConfigureClient(HttpClient client)
    {
        base.ConfigureClient(client);
        client.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("ConnectionStrings:ordersdb", _database);
        builder.UseSetting("ConnectionStrings:redis", _infrastructure.Redis);
        builder.UseSetting("ConnectionStrings:kafka", _infrastructure.Kafka);
        builder.UseSetting("Messaging:Group", _group);
        TestAuthority.Shared.Configure(builder);
        builder.UseSetting("Messaging:Partitions", "4");
        builder.ConfigureTestServices(services => services.AddSingleton<TimeProvider>(Clock));
        foreach (var neighbour in new[] { "inventory", "products", "customers", "notifications" })
        {
            builder.UseSetting($"services:{neighbour}:http:0", Neighbours.Address);
        }

        foreach (var (key, value) in _settings)
        {
            builder.UseSetting(key, value);
        }
    }

    /// <summary>Sends an order; every part of the request has a default.</summary>
    public async Task<HttpResponseMessage> PlaceAsync(object body, string? key = "", string? prefer = null)
    {
        using var http = CreateClient();
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = body is string text ? new StringContent(text, System.Text.Encoding.UTF8, "application/json") : JsonContent.Create(body),
        };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key.Length > 0 ? key : Guid.CreateVersion7().ToString());
        }

        if (prefer is not null)
        {
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        }

        return await http.SendAsync(request);
    }

    public static object Body(Guid customer, params (Guid Product, int Quantity)[] lines) =>
        new { customerId = customer, lines = lines.Select(l => new { productId = l.Product, quantity = l.Quantity }) };

    /// <summary>Places an order of 3 and lets Inventory confirm it.</summary>
    public async Task<(Guid Id, Guid Product)> ConfirmedAsync()
    {
        var product = Neighbours.AddProduct();
        var order = await BodyAsync(await PlaceAsync(Body(Neighbours.AddCustomer(), (product, 3))));
        var id = (Guid)order["id"]!;
        await AnswerAsync(id, 1, "reserved");
        await WaitForAsync(id, "confirmed");
        return (id, product);
    }

    /// <summary>Publishes as Products, and waits until Orders has handled the event.</summary>
    public async Task PublishProductAsync(Guid product, long version, string status, decimal price = 18.00m)
    {
        await Kafka.PublishAsync("product.updated", "product.updated.v1", product.ToString(), JsonSerializer.Serialize(
            new { productId = product, version, sku = "TEA-" + product, name = "Chai", price = new { amount = price, currency = "EUR" }, status }));
        await Eventually.TrueAsync(
            async () => await QueryAsync<long>("SELECT count(*) FROM product_copies WHERE product_id = $1 AND version = $2", product, version) == 1,
            TimeSpan.FromSeconds(30), "the product is known");
    }

    /// <summary>Publishes as Customers, and waits until Orders has handled the event.</summary>
    public async Task EraseAsync(Guid customer)
    {
        await Kafka.PublishAsync("customer.updated", "customer.updated.v1", customer.ToString(), JsonSerializer.Serialize(
            new { customerId = customer, version = 9, status = "erased", language = "en", channels = new { email = false, sms = false, webhook = false } }));
        await Eventually.TrueAsync(
            async () => await QueryAsync<long>("SELECT count(*) FROM customer_copies WHERE customer_id = $1 AND status = 'erased'", customer) == 1,
            TimeSpan.FromSeconds(30), "the customer is erased");
    }

    /// <summary>Publishes as Inventory.</summary>
    public Task<Guid> AnswerAsync(Guid order, long version, string outcome, object[]? lines = null, Guid? eventId = null, string? traceParent = null) => Kafka.PublishAsync(
        "inventory.reservation", "inventory.reservation.v1", order.ToString(),
        JsonSerializer.Serialize(new { orderId = order, orderVersion = version, outcome, lines = lines ?? [], decidedAt = "2026-11-24T08:00:00Z" }), eventId,
        new Dictionary<string, string?> { ["traceparent"] = traceParent });

    public async Task<JsonNode> OrderAsync(Guid id)
    {
        using var http = CreateClient();
        return (await http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}"))!;
    }

    /// <summary>A shipped order of 3.</summary>
    public async Task<(Guid Id, Guid Product)> ShippedAsync()
    {
        var (id, product) = await ConfirmedAsync();
        using var http = CreateClient();
        (await http.PostAsJsonAsync($"/api/orders/{id}/ship", new { carrier = "DHL", trackingNumber = "42" })).EnsureSuccessStatusCode();
        return (id, product);
    }

    public Task WaitForAsync(Guid id, string status) =>
        Eventually.TrueAsync(async () => (string?)(await OrderAsync(id))["status"] == status, TimeSpan.FromSeconds(30), $"the order is {status}");

    public static async Task<JsonNode> BodyAsync(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>())!;

    public async Task<T> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        await command.ExecuteNonQueryAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (!_isReplica)
        {
            await Neighbours.DisposeAsync();
        }

        await Database.DisposeAsync();
        Kafka.Dispose();
    }
}
