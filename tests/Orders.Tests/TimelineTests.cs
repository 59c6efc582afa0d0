using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class TimelineTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    [Fact]
    public async Task It_merges_order_stock_and_notification_facts_with_their_events()
    {
        var (id, _) = await _app.ShippedAsync();
        var shipped = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 2))[1].Headers["ce_id"];
        _app.Neighbours.Notifications = [Notification(shipped)];
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        var items = timeline["items"]!.AsArray();
        // Inventory's answer in this test has a time in the past, as if its clock were wrong.
        Assert.Equal(
            ["order placed", "stock reserved", "order confirmed", "order shipped", "email sent"], items.Select(i => (string?)i!["what"]));
        Assert.Equal(["orders", "inventory", "orders", "orders", "notifications"], items.Select(i => (string?)i!["service"]));
        Assert.Equal([1, null, 2, 3, null], items.Select(i => (int?)i!["data"]!["version"]));
        Assert.All(items, i => Assert.True(Guid.TryParse((string?)i!["eventId"], out _)));
        Assert.Equal(shipped, (string?)items[4]!["eventId"]);
        Assert.Equal(("caller", "DHL"), ((string?)items[3]!["data"]!["by"], (string?)items[3]!["data"]!["carrier"]));
        Assert.Empty(timeline["missing"]!.AsArray());
    }

    /// <summary>A new trace, and the header that continues it.</summary>
    private static (string Id, string Header) Trace()
    {
        var id = ActivityTraceId.CreateRandom().ToHexString();
        return (id, $"00-{id}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
    }

    private async Task<HttpResponseMessage> PostAsync(string path, object body, string traceParent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("traceparent", traceParent);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        var response = await _http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return response;
    }

    [Fact]
    public async Task Each_item_names_who_requested_it_and_its_trace()
    {
        var (placing, answering, shipping) = (Trace(), Trace(), Trace());
        var placed = await PostAsync("/api/orders", OrdersApp.Body(_app.Neighbours.AddCustomer(), (_app.Neighbours.AddProduct(), 3)), placing.Header);
        var id = (Guid)(await OrdersApp.BodyAsync(placed))["id"]!;
        await _app.AnswerAsync(id, 1, "reserved", traceParent: answering.Header);
        await _app.WaitForAsync(id, "confirmed");
        await PostAsync($"/api/orders/{id}/ship", new { carrier = "DHL" }, shipping.Header);
        var shipped = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 2))[1].Headers["ce_id"];
        _app.Neighbours.Notifications = [Notification(shipped)];

        var items = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!["items"]!.AsArray();
        Assert.Equal(
            [
                ("order placed", "caller", placing.Id), ("stock reserved", null, answering.Id), ("order confirmed", "inventory", answering.Id),
                ("order shipped", "caller", shipping.Id), ("email sent", null, shipping.Id),
            ],
            items.Select(i => ((string?)i!["what"], (string?)i["data"]!["by"], (string?)i["traceId"])));
    }

    [Theory]
    [InlineData(100, 100, true)]
    [InlineData(101, 101, true)]
    [InlineData(501, 500, false)]
    public async Task It_reads_notifications_up_to_a_limit_and_says_when_there_are_more(int there, int read, bool all)
    {
        var (id, _) = await _app.ConfirmedAsync();
        _app.Neighbours.Notifications = [.. Enumerable.Range(0, there).Select(_ => Notification(Guid.CreateVersion7()))];
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        Assert.Equal(read, timeline["items"]!.AsArray().Where(i => (string?)i!["service"] == "notifications").DistinctBy(i => (string?)i!["data"]!["id"]).Count());
        Assert.Equal(all ? [] : ["notifications"], timeline["missing"]!.AsArray().Select(m => (string?)m));
    }

    [Theory]
    [InlineData("inventory-manager", new string[0])]
    [InlineData("support", new[] { "email", "webhook" })]
    [InlineData("customer", new[] { "email" })]
    public async Task It_has_the_notifications_that_the_caller_may_read(string role, string[] channels)
    {
        var (id, _) = await _app.ConfirmedAsync();
        _app.Neighbours.Notifications = [Notification(Guid.CreateVersion7()), Notification(Guid.CreateVersion7(), "event", "webhook")];
        using var http = _app.CreateClient();
        var customer = (Guid)(await _app.OrderAsync(id))["customerId"]!;
        http.DefaultRequestHeaders.Authorization = new(
            "Bearer", role == "customer" ? TestAuthority.Shared.CustomerToken(customer) : TestAuthority.Shared.Token("wim@example.com", [role]));

        var timeline = (await http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;

        Assert.Equal(channels, timeline["items"]!.AsArray().Select(i => (string?)i!["data"]!["channel"]).OfType<string>().Order());
        Assert.Empty(timeline["missing"]!.AsArray());
    }

    private static object Notification(object eventId, string template = "orderShipped", string channel = "email") => new
    {
        id = Guid.CreateVersion7(),
        eventId,
        template,
        channel,
        status = "sent",
        attempts = 1,
        createdAt = "2026-11-24T08:00:00Z",
        sentAt = DateTimeOffset.MaxValue,
    };

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
        await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed their mind" });
        var timeline = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!;
        Assert.Equal("changed their mind", (string?)timeline["items"]!.AsArray().Single(i => (string?)i!["what"] == "cancel requested")!["data"]!["reason"]);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/orders/{Guid.CreateVersion7()}/timeline")).StatusCode);
    }
}
