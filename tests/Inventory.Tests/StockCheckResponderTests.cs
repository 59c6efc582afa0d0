using System.Net.Http.Json;
using OrderInventory.Inventory.Features;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>The stock check over Kafka: a request on one topic, its reply on the other.</summary>
[Collection(InventoryCollection.Name)]
public sealed class StockCheckResponderTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319d";
    private InventoryApp _app = null!;
    private HttpClient _http = null!;
    private string _replica = null!;

    public async Task InitializeAsync()
    {
        _app = await InventoryApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
        _replica = "orders-" + Guid.CreateVersion7().ToString("N");
        // The responder listens from the end of the topic, and readiness does not wait for it: ask until it answers.
        var product = await _app.StockAsync(1);
        var warm = _replica + "-warm";
        using var enough = new CancellationTokenSource();
        var asking = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await SendRequestAsync(NewRequest(product, 1), key: warm);
                await Task.Delay(200);
            }
        });
        await _app.Kafka.ReadAsync("inventory.check.replied", warm, seen => seen.Count >= 1);
        await enough.CancelAsync();
        await asking;
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private static object NewRequest(Guid product, int quantity, Guid? orderId = null, Guid? holdId = null) =>
        new { lines = new[] { new { productId = product, quantity } }, orderId, holdId };

    private Task<Guid> SendRequestAsync(object request, string? deadline = null, string? key = null, string type = "inventory.check.requested.v1") => _app.Kafka.PublishAsync(
        "inventory.check.requested", type, key ?? _replica, request as string ?? InventoryApp.Json(request),
        headers: new Dictionary<string, string?> { ["deadline"] = deadline, ["traceparent"] = $"00-{Trace}-b7ad6b7169203331-01", ["ce_correlationid"] = "chain-7" });

    [Fact]
    public async Task A_request_is_answered_to_its_sender_in_its_trace()
    {
        var product = await _app.StockAsync(10);
        var id = await SendRequestAsync(NewRequest(product, 12), DateTimeOffset.MaxValue.ToString("O"));
        var answer = (await _app.Kafka.ReadAsync("inventory.check.replied", _replica, seen => seen.Count == 1))[0];
        Assert.False(answer.Json.GetProperty("sufficient").GetBoolean());
        var line = answer.Json.GetProperty("lines").EnumerateArray().Single();
        Assert.Equal((product, 12, 10), (line.GetProperty("productId").GetGuid(), line.GetProperty("requested").GetInt32(), line.GetProperty("available").GetInt32()));
        Assert.Equal((id.ToString(), "chain-7", "inventory.check.replied.v1"), (answer.Headers["ce_causationid"], answer.Headers["ce_correlationid"], answer.Headers["ce_type"]));
        Assert.Contains(Trace, answer.Headers["traceparent"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Late_and_unreadable_requests_are_dropped_and_the_next_is_answered()
    {
        var product = await _app.StockAsync(10);
        await SendRequestAsync(NewRequest(product, 1), "2020-01-01T00:00:00Z");
        await SendRequestAsync(NewRequest(product, 1), "tomorrow");
        await SendRequestAsync("{\"lines\": 7}");
        await SendRequestAsync("not json");
        await SendRequestAsync(NewRequest(product, 0));
        await SendRequestAsync(NewRequest(product, 1), type: "something.else.v1");
        var good = await SendRequestAsync(NewRequest(product, 2));
        // There is one partition, so every earlier request has been handled.
        var answers = await _app.Kafka.ReadAsync("inventory.check.replied", _replica, seen => seen.Count == 1);
        Assert.Equal(good.ToString(), answers.Single().Headers["ce_causationid"]);
    }

    [Theory]
    [InlineData("{\"lines\": []}", "$.lines")]
    [InlineData("{\"lines\": [null]}", "$.lines[0]")]
    [InlineData("{\"lines\": [{\"productId\": \"019a0000-0000-7000-8000-000000000001\", \"quantity\": 0}]}", "$.lines[0].quantity")]
    [InlineData("{\"lines\": [{\"productId\": \"019a0000-0000-7000-8000-000000000001\", \"quantity\": 1000000000001}]}", "$.lines[0].quantity")]
    public async Task A_request_has_the_same_limits_over_http_and_over_kafka(string json, string path)
    {
        var response = await _http.PostAsync("/api/inventory/check", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await response.BodyAsync())["errors"]!.AsObject().Single().Key);
        var request = System.Text.Json.JsonSerializer.Deserialize(json, OrderInventory.Contracts.EventsJson.Default.StockCheckRequested)!;
        Assert.StartsWith(path, AnswerStockChecks.Validate(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Units_of_a_named_order_or_hold_count_as_available()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        await _app.CreateAsync(order, null, (product, 4));
        await _app.WaitForOutcomeAsync(order, "reserved");
        var hold = (Guid)(await (await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 3 } } })).BodyAsync())["id"]!;
        await SendRequestAsync(NewRequest(product, 1));
        await SendRequestAsync(NewRequest(product, 1, order));
        await SendRequestAsync(NewRequest(product, 1, null, hold));
        await SendRequestAsync(NewRequest(product, 1, order, hold));
        var answers = await _app.Kafka.ReadAsync("inventory.check.replied", _replica, seen => seen.Count == 4);
        Assert.Equal([3, 7, 6, 10], answers.Select(a => a.Json.GetProperty("lines")[0].GetProperty("available").GetInt32()));
    }
}
