using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>The ledger has the order in which things happened, whatever the clocks say and however many write at the same time.</summary>
[Collection(InventoryCollection.Name)]
public sealed class LedgerOrderTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await InventoryApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private Task<HttpResponseMessage> AdjustAsync(Guid product, long delta, HttpClient? http = null) =>
        (http ?? _http).PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta, reason = "count" });

    [Fact]
    public async Task Fifty_clients_on_two_replicas_whose_clocks_differ_leave_a_ledger_that_can_be_replayed()
    {
        await using var replica = await _app.StartReplicaAsync(("Messaging:InstanceId", Guid.CreateVersion7().ToString("N")));
        replica.Clock.Offset = TimeSpan.FromSeconds(-30);
        using var other = replica.CreateClient();
        var product = await _app.StockAsync(3);
        var clients = Enumerable.Range(0, 50).Select(async client =>
        {
            var done = 0;
            for (var i = 0; i < 6; i++)
            {
                // Every unit that one client adds, another takes out: the sum stays near zero.
                var response = await AdjustAsync(product, (client + i) % 2 == 0 ? 1 : -1, client % 2 == 0 ? _http : other);
                Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict, response.StatusCode.ToString());
                done += response.StatusCode == HttpStatusCode.Created ? 1 : 0;
            }

            return done;
        });
        var written = (await Task.WhenAll(clients)).Sum();
        Assert.Equal(written + 1, await _app.QueryAsync<long>("SELECT count(*) FROM stock_movements WHERE product_id = $1", product));
        await HistoryCheck.LedgerAsync(_http, product);
    }

    [Fact]
    public async Task A_consumed_hold_is_released_before_the_order_reserves()
    {
        for (var i = 0; i < 10; i++)
        {
            var product = await _app.StockAsync(3);
            var held = await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 3 } } });
            var order = Guid.CreateVersion7();
            await _app.Kafka.PublishAsync(
                "order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, (Guid)(await held.BodyAsync())["id"]!, (product, 3))));
            await Eventually.TrueAsync(
                async () => await _app.QueryAsync<long>("SELECT count(*) FROM stock_movements WHERE order_id = $1", order) == 2, TimeSpan.FromSeconds(30), "the order has the hold");
            var movements = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray();
            Assert.Equal(["reserved 3", "holdReleased -3", "held 3", "set 0"], movements.Select(m => $"{m!["kind"]} {m["reservedDelta"]}"));
            await HistoryCheck.LedgerAsync(_http, product);
        }
    }

    [Fact]
    public async Task Times_in_the_ledger_do_not_go_back_when_the_clock_is_set_back()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        var levels = new List<JsonNode>();
        foreach (var offset in new[] { 0.0, 3600, 0, -7200 })
        {
            _app.Clock.Offset = TimeSpan.FromSeconds(offset);
            levels.Add(await (await AdjustAsync(product, 1)).BodyAsync());
        }

        await SendAsync("order.created", order, InventoryApp.Created(order, (product, 2)), 1);
        var reserved = await ReservationAsync(order);
        _app.Clock.Offset = TimeSpan.FromSeconds(-90_000);
        await SendAsync("order.updated", order, InventoryApp.Updated(order, 2, "shipped", (product, 2)), 2);
        var shipped = await ReservationAsync(order);

        Assert.True((DateTimeOffset)shipped["decidedAt"]! > (DateTimeOffset)reserved["decidedAt"]!);
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True((DateTimeOffset)pair.Second["updatedAt"]! > (DateTimeOffset)pair.First["updatedAt"]!));
        var events = await _app.Kafka.ReadAsync("inventory.updated", product.ToString(), seen => seen.Count == 7);
        Assert.All(events.Zip(events.Skip(1)), pair =>
        {
            Assert.True(pair.Second.Json.GetProperty("version").GetInt64() > pair.First.Json.GetProperty("version").GetInt64());
            Assert.True(pair.Second.Json.GetProperty("updatedAt").GetDateTimeOffset() > pair.First.Json.GetProperty("updatedAt").GetDateTimeOffset());
        });
        await HistoryCheck.LedgerAsync(_http, product);
    }

    private async Task SendAsync(string topic, Guid order, object data, long version)
    {
        await _app.Kafka.PublishAsync(topic, topic + ".v1", order.ToString(), InventoryApp.Json(data));
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM reservations WHERE order_id = $1 AND order_version = $2", order, version) == 1,
            TimeSpan.FromSeconds(30), "the event is handled");
    }

    private async Task<JsonNode> ReservationAsync(Guid order) => (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/reservations/{order}"))!;
}
