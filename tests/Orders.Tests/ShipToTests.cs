using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class ShipToTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private static readonly object s_address = new { name = "Maria Anders", line1 = "Obere Str. 57", postalCode = "12209", city = "Berlin", country = "DE" };

    private Task<HttpResponseMessage> PlaceAsync(Guid customer, object shipTo) => _app.PlaceAsync(new
    {
        customerId = customer,
        lines = new[] { new { productId = _app.Neighbours.AddProduct(), quantity = 1 } },
        shipTo,
    });

    [Fact]
    public async Task It_is_kept_with_the_order_only_and_removed_when_the_customer_is_erased()
    {
        var customer = _app.Neighbours.AddCustomer();
        var placed = await PlaceAsync(customer, s_address);
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var id = (Guid)(await OrdersApp.BodyAsync(placed))["id"]!;
        Assert.Equal("Obere Str. 57", (string?)(await _app.OrderAsync(id))["shipTo"]!["line1"]);
        Assert.Equal("Obere Str. 57", (string?)(await RecentAsync(customer))["shipTo"]!["line1"]);
        Assert.DoesNotContain("Obere", (await _app.Kafka.ReadAsync("order.created", id.ToString(), seen => seen.Count == 1))[0].Value, StringComparison.Ordinal);

        await EraseAsync(customer);
        await Eventually.TrueAsync(async () => (await _app.OrderAsync(id))["shipTo"] is null, TimeSpan.FromSeconds(30), "the address is removed");
        Assert.Null((await RecentAsync(customer))["shipTo"]);
        Assert.Equal("pending", (string?)(await _app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task An_erasure_changes_the_ETag_and_does_not_disturb_outcomes_and_changes()
    {
        var customer = _app.Neighbours.AddCustomer();
        var id = (Guid)(await OrdersApp.BodyAsync(await PlaceAsync(customer, s_address)))["id"]!;
        Assert.Equal(HttpStatusCode.NotModified, (await GetAsync(id, "\"1\"")).StatusCode);
        await EraseAsync(customer);
        await Eventually.TrueAsync(async () => (await _app.OrderAsync(id))["shipTo"] is null, TimeSpan.FromSeconds(30), "the address is removed");

        var erased = await GetAsync(id, "\"1\"");
        Assert.Equal((HttpStatusCode.OK, "\"1-erased\""), (erased.StatusCode, erased.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.NotModified, (await GetAsync(id, "\"1-erased\"")).StatusCode);
        await _app.AnswerAsync(id, 1, "reserved");
        await _app.WaitForAsync(id, "confirmed");
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await PostAsync($"/api/orders/{id}/ship", "\"1-erased\"")).StatusCode);
        var shipped = await PostAsync($"/api/orders/{id}/ship", "\"2-erased\"");
        Assert.Equal((HttpStatusCode.OK, "\"3-erased\""), (shipped.StatusCode, shipped.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync($"/api/orders/{id}/deliver", "\"3\"")).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_order_that_commits_after_the_erasure_keeps_no_address(bool customerIsKnown)
    {
        var customer = _app.Neighbours.AddCustomer();
        if (customerIsKnown)
        {
            await _app.ExecuteAsync("INSERT INTO customer_copies (customer_id, version, status) VALUES ($1, 1, 'active')", customer);
        }

        // An erasure in an open transaction: the placement reads an active customer, or none, and commits too late for the erasure to find it.
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var erasure = await connection.BeginTransactionAsync();
        await using var erase = new NpgsqlCommand(
            "INSERT INTO customer_copies (customer_id, version, status) VALUES ($1, 2, 'erased') ON CONFLICT (customer_id) DO UPDATE SET version = 2, status = 'erased'",
            connection, erasure)
        {
            Parameters = { new() { Value = customer } },
        };
        await erase.ExecuteNonQueryAsync();
        var placing = PlaceAsync(customer, s_address);
        await Eventually.TrueAsync(
            async () => placing.IsCompleted
                || await _app.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0,
            TimeSpan.FromSeconds(30), "the placement waits for the erasure");
        await erasure.CommitAsync();

        var placed = await placing;
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var id = (Guid)(await OrdersApp.BodyAsync(placed))["id"]!;
        Assert.Null((await _app.OrderAsync(id))["shipTo"]);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(id, placed.Headers.ETag!.Tag)).StatusCode);
        Assert.Empty(await _app.QueryAsync<byte[]>("SELECT fingerprint FROM idempotency_keys WHERE resource_id = $1", id));
    }

    [Fact]
    public async Task An_erasure_waits_for_an_order_that_is_being_written()
    {
        var customer = _app.Neighbours.AddCustomer();
        var id = (Guid)(await OrdersApp.BodyAsync(await PlaceAsync(customer, s_address)))["id"]!;
        await _app.ExecuteAsync("UPDATE orders SET ship_to = NULL WHERE id = $1", id);
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var placement = await connection.BeginTransactionAsync();
        await using var write = new NpgsqlBatch(connection, placement)
        {
            BatchCommands =
            {
                new("SELECT FROM customer_copies WHERE customer_id = $1 FOR SHARE") { Parameters = { new() { Value = customer } } },
                new("""UPDATE orders SET ship_to = '{"name": "M", "line1": "L", "city": "C", "country": "DE"}' WHERE id = $1""") { Parameters = { new() { Value = id } } },
            },
        };
        await write.ExecuteNonQueryAsync();
        await EraseAsync(customer);
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0,
            TimeSpan.FromSeconds(30), "the erasure waits for the placement");
        await placement.CommitAsync();
        await Eventually.TrueAsync(async () => (await _app.OrderAsync(id))["shipTo"] is null, TimeSpan.FromSeconds(30), "the address is removed");
    }

    [Fact]
    public async Task An_erasure_removes_the_hash_of_the_request()
    {
        var customer = _app.Neighbours.AddCustomer();
        var id = (Guid)(await OrdersApp.BodyAsync(await PlaceAsync(customer, s_address)))["id"]!;
        var other = (Guid)(await OrdersApp.BodyAsync(await PlaceAsync(_app.Neighbours.AddCustomer(), s_address)))["id"]!;
        await EraseAsync(customer);
        Task<byte[]> FingerprintAsync(Guid order) => _app.QueryAsync<byte[]>("SELECT fingerprint FROM idempotency_keys WHERE resource_id = $1", order);
        await Eventually.TrueAsync(async () => (await FingerprintAsync(id)).Length == 0, TimeSpan.FromSeconds(30), "the hash is removed");
        Assert.NotEmpty(await FingerprintAsync(other));

        // A client that missed the first response gets it now.
        var key = await _app.QueryAsync<string>("SELECT key FROM idempotency_keys WHERE resource_id = $1", id);
        var replayed = await _app.PlaceAsync(OrdersApp.Body(customer, (_app.Neighbours.AddProduct(), 1)), key);
        Assert.Equal((HttpStatusCode.Created, id), (replayed.StatusCode, (Guid)(await OrdersApp.BodyAsync(replayed))["id"]!));
    }

    [Fact]
    public async Task An_address_without_a_postal_code_is_accepted()
    {
        var placed = await PlaceAsync(_app.Neighbours.AddCustomer(), new { name = "Chan Tai Man", line1 = "1 Harbour Road", city = "Wan Chai", country = "HK" });
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var shipTo = (await _app.OrderAsync((Guid)(await OrdersApp.BodyAsync(placed))["id"]!))["shipTo"]!;
        Assert.Equal(("HK", null), ((string?)shipTo["country"], (string?)shipTo["postalCode"]));
    }

    [Theory]
    [InlineData("country", "ZZ")]
    [InlineData("country", "de")]
    [InlineData("line1", "Obere Str. 57\nBcc: all")]
    [InlineData("postalCode", " ")]
    [InlineData("region", "")]
    public async Task It_is_as_strict_as_a_customers_address_book(string member, string value)
    {
        var address = JsonSerializer.SerializeToNode(s_address)!.AsObject();
        address[member] = value;
        var answer = await PlaceAsync(_app.Neighbours.AddCustomer(), address);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal($"$.shipTo.{member}", (await OrdersApp.BodyAsync(answer))["errors"]!.AsObject().Single().Key);
    }

    [Fact]
    public async Task What_is_wrong_with_it_is_named()
    {
        var answer = await PlaceAsync(_app.Neighbours.AddCustomer(), new { name = "", line1 = "Obere Str. 57", postalCode = "12209", city = "Berlin", country = "Germany" });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var errors = (await OrdersApp.BodyAsync(answer))["errors"]!.AsObject();
        Assert.Equal(["$.shipTo.country", "$.shipTo.name"], errors.Select(e => e.Key).Order());
    }

    private Task<Guid> EraseAsync(Guid customer) => _app.Kafka.PublishAsync("customer.updated", "customer.updated.v1", customer.ToString(),
        $$"""{"customerId":"{{customer}}","version":2,"status":"erased","language":"de","channels":{"email":false,"sms":false,"webhook":false} }""");

    private Task<HttpResponseMessage> GetAsync(Guid id, string ifNoneMatch)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/orders/{id}");
        request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        return _http.SendAsync(request);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string ifMatch)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new { }) };
        request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return _http.SendAsync(request);
    }

    private async Task<JsonNode> RecentAsync(Guid customer) =>
        (await _http.GetFromJsonAsync<JsonNode>($"/api/customers/{customer}/orders/recent"))!["items"]![0]!;
}
