using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

[CollectionDefinition(Name)]
public class InventoryCollection : ICollectionFixture<InfrastructureFixture>
{
    public const string Name = "inventory";
}

/// <summary>The Inventory service on its own port, with its own database and consumer group.</summary>
internal sealed class InventoryApp : WebApplicationFactory<Program>
{
    private readonly InfrastructureFixture _infrastructure;
    private readonly string _database;
    private readonly string _instance = Guid.CreateVersion7().ToString("N");
    private readonly (string Name, string Value)[] _settings;

    private InventoryApp(InfrastructureFixture infrastructure, string database, string group, (string Name, string Value)[] settings)
    {
        _settings = settings;
        _infrastructure = infrastructure;
        _database = database;
        Group = group;
        // A real server: its limits and streams are tested, not those of a test double.
        UseKestrel();
        StartServer();
    }

    public Uri Address => ClientOptions.BaseAddress;

    public string Group { get; }

    public string ConnectionString => _database;

    /// <summary>This replica's clock.</summary>
    public ShiftedClock Clock { get; } = new();

    public LogKeeper Logs { get; } = new();

    public NpgsqlDataSource Database => field ??= NpgsqlDataSource.Create(_database);

    public KafkaProbe Kafka => field ??= new(_infrastructure.Kafka);

    public static async Task<InventoryApp> StartAsync(InfrastructureFixture infrastructure, params (string Name, string Value)[] settings)
    {
        var database = await infrastructure.CopyDatabaseAsync<InventoryDb>("inventory");
        var group = "inventory-" + Guid.CreateVersion7().ToString("N");
        using (var kafka = new KafkaProbe(infrastructure.Kafka))
        {
            await kafka.BeginAtEndAsync(group, "order.created", "order.updated", "product.updated");
        }

        var app = new InventoryApp(infrastructure, database, group, settings);
        await app.WaitUntilReadyAsync();
        return app;
    }

    /// <summary>A second replica on the same database and in the same group.</summary>
    public async Task<InventoryApp> StartReplicaAsync(params (string Name, string Value)[] settings)
    {
        var replica = new InventoryApp(_infrastructure, _database, Group, [.. _settings, .. settings]);
        await replica.WaitUntilReadyAsync();
        return replica;
    }

    protected override void ConfigureClient(HttpClient client)
    {
        base.ConfigureClient(client);
        client.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("ConnectionStrings:inventorydb", _database);
        TestAuthority.Shared.Configure(builder);
        builder.UseSetting("ConnectionStrings:redis", _infrastructure.Redis);
        builder.UseSetting("ConnectionStrings:kafka", _infrastructure.Kafka);
        builder.UseSetting("Messaging:Group", Group);
        builder.UseSetting("Messaging:InstanceId", _instance);
        builder.UseSetting("Messaging:Partitions", "4");
        builder.ConfigureTestServices(services => services.AddSingleton<TimeProvider>(Clock));
        builder.ConfigureLogging(logging => logging.AddProvider(Logs));
        foreach (var (name, value) in _settings)
        {
            builder.UseSetting(name, value);
        }
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = CreateClient();
        await Eventually.TrueAsync(async () => (await http.GetAsync("/health")).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "Inventory is ready");
    }

    public async Task<Guid> StockAsync(long onHand, long threshold = 0)
    {
        using var http = CreateClient();
        var product = Guid.CreateVersion7();
        (await http.PutAsJsonAsync($"/api/inventory/{product}", new { onHand, lowStockThreshold = threshold })).EnsureSuccessStatusCode();
        return product;
    }

    public async Task<JsonNode> LevelAsync(Guid product)
    {
        using var http = CreateClient();
        return (await http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!;
    }

    /// <summary>The product's quantities in the database, summed over all locations.</summary>
    public async Task<(long OnHand, long Reserved)> QuantitiesAsync(Guid product)
    {
        await using var command = Database.CreateCommand(
            "SELECT sum(on_hand)::bigint, sum(reserved)::bigint FROM stock_levels WHERE product_id = $1 HAVING count(*) > 0");
        command.Parameters.Add(new() { Value = product });
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public async Task<T> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>For each product and location, the ledger adds up to the level, and reservations and holds to the reserved quantity.</summary>
    public async Task AssertBooksBalanceAsync()
    {
        Assert.Equal(0L, await QueryAsync<long>(
            """
            SELECT count(*) FROM stock_levels l
            LEFT JOIN (SELECT product_id, location, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                       FROM stock_movements GROUP BY 1, 2) m USING (product_id, location)
            LEFT JOIN (SELECT product_id, location, sum(quantity) AS held FROM (
                           SELECT (line ->> 'productId')::uuid AS product_id, line ->> 'location' AS location, (line ->> 'quantity')::bigint AS quantity
                           FROM reservations, jsonb_array_elements(lines) AS line
                           UNION ALL SELECT product_id, location, quantity FROM hold_lines) AS h GROUP BY 1, 2) r USING (product_id, location)
            WHERE l.on_hand <> coalesce(m.on_hand, 0) OR l.reserved <> coalesce(m.reserved, 0) OR l.reserved <> coalesce(r.held, 0)
            """));
    }

    public static object Created(Guid order, params (Guid Product, int Quantity)[] lines) => Created(order, null, lines);

    public static object Created(Guid order, Guid? hold, params (Guid Product, int Quantity)[] lines) => new
    {
        orderId = order,
        version = 1,
        customerId = Guid.CreateVersion7(),
        status = "pending",
        holdId = hold,
        lines = Lines(lines),
        total = new { amount = 1.00m, currency = "EUR" },
        placedAt = "2026-11-24T08:00:00Z",
    };

    /// <summary>A return of a shipped order.</summary>
    public static object Returned(Guid order, long version, bool restock, (Guid Product, int Quantity)[] lines, params (Guid Product, int Quantity)[] back) => new
    {
        orderId = order,
        version,
        customerId = Guid.CreateVersion7(),
        status = "shipped",
        previousStatus = "shipped",
        holdId = (Guid?)null,
        lines = Lines(lines),
        total = new { amount = 1.00m, currency = "EUR" },
        placedAt = "2026-11-24T08:00:00Z",
        updatedAt = "2026-11-24T08:00:00Z",
        reason = (string?)null,
        revision = (object?)null,
        rejection = (object?)null,
        @return = new { lines = back.Select(l => new { productId = l.Product, quantity = l.Quantity }), restock },
    };

    public static object Updated(Guid order, long version, string status, params (Guid Product, int Quantity)[] lines) => new
    {
        orderId = order,
        version,
        customerId = Guid.CreateVersion7(),
        status,
        previousStatus = "confirmed",
        holdId = (Guid?)null,
        lines = Lines(lines),
        total = new { amount = 1.00m, currency = "EUR" },
        reason = (string?)null,
        revision = status == "revisionPending" ? new { status = "pending", lines = Lines(lines), rejection = (object?)null } : null,
        rejection = (object?)null,
        placedAt = "2026-11-24T08:00:00Z",
        updatedAt = "2026-11-24T08:00:00Z",
    };

    private static object[] Lines((Guid Product, int Quantity)[] lines) =>
        [.. lines.Select(l => new { productId = l.Product, sku = "S", name = "N", quantity = l.Quantity, unitPrice = new { amount = 1.00m, currency = "EUR" } })];

    public static string Json(object data) => JsonSerializer.Serialize(data);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Database.DisposeAsync();
        Kafka.Dispose();
    }
}
