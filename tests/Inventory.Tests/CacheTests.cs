using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;
using StackExchange.Redis;

namespace OrderInventory.Inventory.Tests;

[Collection(InventoryCollection.Name)]
public sealed class CacheTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;

    public async Task InitializeAsync() => _app = await InventoryApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Answers_from_Redis_until_the_stock_changes()
    {
        using var http = _app.CreateClient();
        var product = await _app.StockAsync(10);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(infrastructure.Redis);
        async Task<int> OnHandAsync() => (int)(await _app.LevelAsync(product))["onHand"]!;
        // Creating the stock has just invalidated the entry, and a request does not wait until the cache is filled.
        await Eventually.TrueAsync(
            async () => await OnHandAsync() == 10 && (await redis.GetDatabase().StringGetAsync($"inventory:{product}")).ToString().StartsWith('{'),
            TimeSpan.FromSeconds(30), "the level is in Redis");
        Assert.InRange((await redis.GetDatabase().KeyTimeToLiveAsync($"inventory:{product}"))!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(30));

        // The level now differs from the cached entry.
        await _app.QueryAsync<long>("UPDATE stock_levels SET on_hand = 20 WHERE product_id = $1 RETURNING version", product);
        Assert.Equal(10, await OnHandAsync());
        (await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 1, reason = "found" })).EnsureSuccessStatusCode();
        Assert.Equal(21, await OnHandAsync());

        var order = Guid.CreateVersion7();
        await Eventually.TrueAsync(
            async () => await OnHandAsync() == 21 && (await redis.GetDatabase().StringGetAsync($"inventory:{product}")).ToString().StartsWith('{'),
            TimeSpan.FromSeconds(30), "the level is in Redis again");
        await _app.CreateAsync(order, null, (product, 4));
        await _app.WaitForOutcomeAsync(order, "reserved");
        // Sooner than the cached entry would have expired.
        await Eventually.TrueAsync(
            async () => (int)(await _app.LevelAsync(product))["reserved"]! == 4, TimeSpan.FromSeconds(15), "an order's change is seen too");
    }

    [Fact]
    public async Task Without_Redis_reads_are_right_and_the_service_stays_ready()
    {
        using var http = _app.CreateClient();
        var product = await _app.StockAsync(10);
        await _app.LevelAsync(product);
        await infrastructure.Runner.KillAsync("redis");
        try
        {
            (await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -1, reason = "damaged" })).EnsureSuccessStatusCode();
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(9, (int)(await _app.LevelAsync(product))["onHand"]!);
            }

            var health = await http.GetAsync("/health");
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
            await Eventually.TrueAsync(
                async () => (string?)(await http.GetFromJsonAsync<JsonNode>("/health"))!["status"] == "degraded", TimeSpan.FromSeconds(30), "the lost cache is reported");
        }
        finally
        {
            await infrastructure.Runner.StartAsync("redis");
        }

        await Eventually.TrueAsync(
            async () => (string?)(await http.GetFromJsonAsync<JsonNode>("/health"))!["status"] == "healthy", TimeSpan.FromSeconds(60), "the cache is available again");
        Assert.Equal(9, (int)(await _app.LevelAsync(product))["onHand"]!);
    }
}
