using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.Gateway.Tests;

public sealed class HealthTests : IAsyncLifetime
{
    private readonly GatewayApp _gateway = new();

    public Task InitializeAsync() => _gateway.InitializeAsync();

    public Task DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Is_200_when_every_service_is_ready_and_names_each()
    {
        var response = await _gateway.Http.GetAsync("/health");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var health = await response.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal("healthy", (string?)health!["status"]);
        Assert.Equal(["authority", "customers", "inventory", "notifications", "orders", "products"], health["checks"]!.AsObject().Select(c => c.Key).Order());
    }

    [Fact]
    public async Task Is_503_when_a_service_is_not_ready_or_down()
    {
        _gateway["inventory"].Ready = false;
        await _gateway["notifications"].StopAsync();

        var response = await _gateway.Http.GetAsync("/health");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var checks = (await response.Content.ReadFromJsonAsync<JsonNode>())!["checks"]!;
        Assert.Equal("unhealthy", (string?)checks["inventory"]!["status"]);
        Assert.Equal("unhealthy", (string?)checks["notifications"]!["status"]);
        Assert.Equal("healthy", (string?)checks["orders"]!["status"]);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Http.GetAsync("/alive")).StatusCode);
    }
}
