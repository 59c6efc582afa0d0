using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using OrderInventory.Inventory.Data;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Features;
using OrderInventory.TestSupport;

namespace OrderInventory.CrossService.Tests;

/// <summary>The two services, which reach each other over HTTP; <see cref="Carrier"/> alone carries their events.</summary>
internal sealed class OrdersAndInventory : IAsyncDisposable
{
    private readonly Service<OrdersDb> _orders;
    private readonly Service<InventoryDb> _inventory;

    private OrdersAndInventory(Service<OrdersDb> orders, Service<InventoryDb> inventory)
    {
        (_orders, _inventory) = (orders, inventory);
        inventory.SetAddress("orders", orders.Address);
        Sweeper = orders.Hosted<SweepWaitingOrders>();
        Carrier = new(orders, inventory);
    }

    public HttpClient Orders => _orders.Http;

    public HttpClient Inventory => _inventory.Http;

    public IService OrdersService => _orders;

    public IService InventoryService => _inventory;

    public SweepWaitingOrders Sweeper { get; }

    public Carrier Carrier { get; }

    public Guid Customer { get; } = Guid.CreateVersion7();

    public static async Task<OrdersAndInventory> StartAsync(InfrastructureFixture infrastructure, string stockCheck)
    {
        (string, string)[] common = [("ConnectionStrings:redis", infrastructure.Redis), ("ConnectionStrings:kafka", infrastructure.Kafka)];
        var inventory = new Service<InventoryDb>("inventorydb", await infrastructure.CreateDatabaseAsync("inventory"), common);
        var orders = new Service<OrdersDb>("ordersdb", await infrastructure.CreateDatabaseAsync("orders"),
            [.. common, ("Orders:StockCheck", stockCheck), ("Orders:SweepInterval", "1.00:00:00"), ("services:inventory:http:0", inventory.Address)]);
        var both = new OrdersAndInventory(orders, inventory);
        await both.PublishToOrdersAsync("customer.updated", both.Customer, new
        {
            customerId = both.Customer,
            version = 1,
            status = "active",
            language = "en",
            channels = new { email = true, sms = false, webhook = false },
        });
        return both;
    }

    /// <summary>Makes a product that Orders knows, with stock.</summary>
    public async Task<Guid> ProductAsync(long onHand)
    {
        var product = Guid.CreateVersion7();
        await PublishToOrdersAsync("product.updated", product, new
        {
            productId = product,
            version = 1,
            sku = $"TEA-{product}",
            name = "Chai",
            price = new { amount = 18.00m, currency = "EUR" },
            status = "active",
        });
        (await Inventory.PutAsJsonAsync($"/api/inventory/{product}", new { onHand })).EnsureSuccessStatusCode();
        return product;
    }

    public async Task<JsonNode> OrderAsync(Guid id) => (await Orders.GetFromJsonAsync<JsonNode>($"/api/orders/{id}"))!;

    /// <summary>Makes the order look as if it had waited that long; does nothing if it is not waiting.</summary>
    public async Task AgeOrderAsync(Guid order, TimeSpan time)
    {
        await using var command = _orders.Database.CreateCommand("UPDATE orders SET waiting_since = now() - $2 WHERE id = $1 AND waiting_since IS NOT NULL");
        command.Parameters.Add(new() { Value = order });
        command.Parameters.Add(new() { Value = time });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The reasons of all dead letters in both services.</summary>
    public async Task<IReadOnlyList<string>> DeadLettersAsync()
    {
        var reasons = new List<string>();
        foreach (var service in new IService[] { _orders, _inventory })
        {
            await using var command = service.Database.CreateCommand("SELECT topic || ': ' || reason FROM dead_letters");
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                reasons.Add(reader.GetString(0));
            }
        }

        return reasons;
    }

    public async ValueTask DisposeAsync()
    {
        await _orders.DisposeAsync();
        await _inventory.DisposeAsync();
    }

    private async Task PublishToOrdersAsync(string topic, Guid key, object data)
    {
        var headers = new Headers { { "ce_id", Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()) }, { "ce_type", Encoding.UTF8.GetBytes(topic + ".v1") } };
        await _orders.ReceiveAsync([new EventRecord(topic, 0, 0, key.ToString(), headers, JsonSerializer.SerializeToUtf8Bytes(data))]);
    }
}
