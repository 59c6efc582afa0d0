using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class TimelineTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await OrdersApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task It_merges_order_stock_and_notification_facts_with_their_events()
    {
        var (id, _) = await _app.ShippedAsync();
        var shipped = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 2))[1].Headers["ce_id"];
        _app.Neighbours.Notifications =
        [
            new { id = Guid.CreateVersion7(), eventId = shipped, template = "orderShipped", channel = "email", status = "sent", attempts = 1, createdAt = "2026-11-24T08:00:00Z", sentAt = DateTimeOffset.MaxValue },
        ];
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        var items = timeline["items"]!.AsArray();
        // Inventory's answer in this test has a fixed time of long ago.
        Assert.Equal(
            ["stock reserved", "order placed", "order confirmed", "order shipped", "email sent"], items.Select(i => (string?)i!["what"]));
        Assert.Equal(["inventory", "orders", "orders", "orders", "notifications"], items.Select(i => (string?)i!["service"]));
        Assert.Equal([null, 1, 2, 3, null], items.Select(i => (int?)i!["data"]!["version"]));
        Assert.All(items, i => Assert.True(Guid.TryParse((string?)i!["eventId"], out _)));
        Assert.Equal(shipped, (string?)items[4]!["eventId"]);
        Assert.Equal((string?)items[3]!["traceId"], (string?)items[4]!["traceId"]);
        Assert.Equal(("caller", "DHL"), ((string?)items[3]!["data"]!["by"], (string?)items[3]!["data"]!["carrier"]));
        Assert.Empty(timeline["missing"]!.AsArray());
    }

    [Fact]
    public async Task It_names_the_service_that_does_not_answer_and_has_the_rest()
    {
        var (id, _) = await _app.ConfirmedAsync();
        _app.Neighbours.Notifications = null;
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        Assert.Equal("notifications", (string?)timeline["missing"]!.AsArray().Single());
        Assert.Equal(3, timeline["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Reasons_are_in_it_and_an_unknown_order_is_404()
    {
        var (id, _) = await _app.ConfirmedAsync();
        await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed her mind" });
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        Assert.Equal("changed her mind", (string?)timeline["items"]!.AsArray().Single(i => (string?)i!["what"] == "cancel requested")!["data"]!["reason"]);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/orders/{Guid.CreateVersion7()}/timeline")).StatusCode);
    }
}
