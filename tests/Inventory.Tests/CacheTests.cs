using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

[Collection(InventoryCollection.Name)]
public sealed class CacheTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;

    public async Task InitializeAsync() => _app = await InventoryApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await _app.DisposeAsync();

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
            async () => (string?)(await http.GetFromJsonAsync<JsonNode>("/health"))!["status"] == "healthy", TimeSpan.FromSeconds(60), "the cache is back");
        Assert.Equal(9, (int)(await _app.LevelAsync(product))["onHand"]!);
    }
}
