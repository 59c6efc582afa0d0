using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>A customer sees and changes their own orders, and cannot distinguish another's order from one that does not exist.</summary>
[Collection(OrdersCollection.Name)]
public sealed class OwnOrdersTests(SharedOrders shared) : IClassFixture<SharedOrders>, IAsyncLifetime
{
    private readonly OrdersApp _app = shared.App;
    private Guid _own;
    private Guid _other;
    private HttpClient _customer = null!;

    public async Task InitializeAsync()
    {
        await shared.EmptyAsync();
        (_own, _other) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddCustomer());
        _customer = As(TestAuthority.Shared.CustomerToken(_own));
    }

    public Task DisposeAsync()
    {
        _customer.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_matrix_matches_the_document()
    {
        using var http = As(null);
        var orders = new Dictionary<Guid, Guid> { [_own] = await OrderOfAsync(_own), [_other] = await OrderOfAsync(_other) };
        var product = _app.Neighbours.AddProduct();

        await new AuthorizationMatrix("orders", http).CheckAsync(_own, _other, (method, path, customer) => Task.FromResult((method, path) switch
        {
            ("POST", "/api/orders") => new OwnedRequest(path, $$"""{"customerId": "{{customer}}", "lines": [{"productId": "{{product}}", "quantity": 1}]}"""),
            ("PUT", "/api/orders/{id}/lines") => new($"/api/orders/{orders[customer]}/lines", $$"""{"lines": [{"productId": "{{product}}", "quantity": 1}]}"""),
            ("POST", "/api/orders/{id}/cancel") => new($"/api/orders/{orders[customer]}/cancel", "{}"),
            ("GET", "/api/orders") => new($"/api/orders?customerId={customer}"),
            (_, "/api/customers/{customerId}/orders/recent") => new($"/api/customers/{customer}/orders/recent"),
            _ when path.StartsWith("/api/orders/{id}", StringComparison.Ordinal) => new OwnedRequest(path.Replace("{id}", orders[customer].ToString(), StringComparison.Ordinal)),
            _ => null,
        }), "GET /internal/orders/open", "GET /internal/orders/open-lines");
    }

    [Fact]
    public async Task Another_customers_order_is_answered_like_a_missing_one()
    {
        var (foreign, missing) = (await OrderOfAsync(_other), Guid.CreateVersion7());
        var version = $"\"{(long)(await _app.OrderAsync(foreign))["version"]!}\"";
        var lines = new { lines = new[] { new { productId = _app.Neighbours.AddProduct(), quantity = 1 } } };

        foreach (var send in new Func<Guid, HttpRequestMessage>[]
        {
            id => new(HttpMethod.Get, $"/api/orders/{id}"),
            id => With(new(HttpMethod.Get, $"/api/orders/{id}"), "If-None-Match", version),
            id => With(new(HttpMethod.Get, $"/api/orders/{id}"), "If-None-Match", "*"),
            id => new(HttpMethod.Head, $"/api/orders/{id}"),
            id => new(HttpMethod.Get, $"/api/orders/{id}/timeline"),
            id => new(HttpMethod.Post, $"/api/orders/{id}/cancel") { Content = JsonContent.Create(new { }) },
            id => With(new(HttpMethod.Post, $"/api/orders/{id}/cancel") { Content = JsonContent.Create(new { }) }, "If-Match", "\"99\""),
            id => new(HttpMethod.Put, $"/api/orders/{id}/lines") { Content = JsonContent.Create(lines) },
            id => With(new(HttpMethod.Put, $"/api/orders/{id}/lines") { Content = JsonContent.Create(lines) }, "If-Match", version),
        })
        {
            Assert.Equal(await NormalizedAsync(send(missing), missing), await NormalizedAsync(send(foreign), foreign));
            using var again = await _customer.SendAsync(send(foreign));
            Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        }

        Assert.Equal("pending", (string?)(await _app.OrderAsync(foreign))["status"]);
    }

    [Fact]
    public async Task Lists_have_own_orders_only_with_any_filter_and_cursor()
    {
        var own = new[] { await OrderOfAsync(_own), await OrderOfAsync(_own) };
        for (var i = 0; i < 3; i++)
        {
            await OrderOfAsync(_other);
        }

        using var staff = _app.CreateClient();
        var foreignCursor = (string?)(await staff.GetFromJsonAsync<JsonNode>($"/api/orders?customerId={_other}&limit=1"))!["next"];

        foreach (var query in new[] { "", "?status=pending", $"?customerId={_own}", "?placedFrom=2020-01-01T00:00:00Z" })
        {
            Assert.Equal(own.Order(), (await ItemsAsync($"/api/orders{query}")).Select(order => (Guid)order!["id"]!).Order());
        }

        Assert.All(await ItemsAsync($"/api/orders?cursor={foreignCursor}"), order => Assert.Equal(_own, (Guid)order!["customerId"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await _customer.GetAsync($"/api/orders?customerId={_other}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _customer.GetAsync($"/api/orders?customerId={Guid.CreateVersion7()}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _customer.GetAsync($"/api/customers/{_other}/orders/recent")).StatusCode);
        Assert.Equal(2, (await ItemsAsync($"/api/customers/{_own}/orders/recent")).Count);
    }

    [Fact]
    public async Task Nobody_can_order_in_the_name_of_another_customer()
    {
        var (product, missing) = (_app.Neighbours.AddProduct(), Guid.CreateVersion7());

        foreach (var customer in new[] { _other, missing })
        {
            using var answer = await PlaceAsync(customer, product, Guid.CreateVersion7().ToString());
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            Assert.Equal("/problems/unknown-customer", (string?)(await OrdersApp.BodyAsync(answer))["type"]);
        }

        Assert.Empty((await _app.CreateClient().GetFromJsonAsync<JsonNode>($"/api/orders?customerId={_other}"))!["items"]!.AsArray());
    }

    [Fact]
    public async Task A_key_belongs_to_its_subject()
    {
        var (product, key) = (_app.Neighbours.AddProduct(), Guid.CreateVersion7().ToString());
        using var mine = await PlaceAsync(_own, product, key);
        Assert.Equal(HttpStatusCode.Created, mine.StatusCode);

        // The same key text from another caller is a different key, whatever the order.
        using var theirs = await _app.PlaceAsync(OrdersApp.Body(_own, (product, 1)), key);
        Assert.Equal(HttpStatusCode.Created, theirs.StatusCode);
        Assert.False(theirs.Headers.Contains("Idempotency-Replayed"));
        Assert.NotEqual((Guid)(await OrdersApp.BodyAsync(mine))["id"]!, (Guid)(await OrdersApp.BodyAsync(theirs))["id"]!);

        using var again = await PlaceAsync(_own, product, key);
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
    }

    [Fact]
    public async Task Staff_see_who_made_a_change_and_the_customer_does_not()
    {
        var order = await OrderOfAsync(_own);
        using var support = As(TestAuthority.Shared.Token("ben@example.com", ["support"]));
        (await support.PostAsJsonAsync($"/api/orders/{order}/cancel", new { reason = "asked for" })).EnsureSuccessStatusCode();

        var seen = (await support.GetFromJsonAsync<JsonNode>($"/api/orders/{order}/timeline"))!["items"]!.AsArray();
        Assert.Contains(seen, item => (string?)item!["data"]!["sub"] == "ben@example.com" && (string?)item["data"]!["role"] == "support");
        Assert.Contains(seen, item => (string?)item!["data"]!["sub"] == $"customer:{_own}" && (string?)item["data"]!["role"] == "customer");
        var shown = await _customer.GetStringAsync($"/api/orders/{order}/timeline");
        Assert.DoesNotContain("ben@example.com", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("\"role\"", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_reads_their_own_reasons_and_not_those_of_staff()
    {
        var (mine, theirs) = (await OrderOfAsync(_own), await OrderOfAsync(_own));
        using var support = As(TestAuthority.Shared.Token("ben@example.com", ["support"]));
        using var warehouse = As(TestAuthority.Shared.Token("wim@example.com", ["inventory-manager"]));
        await CancelAsync(_customer, mine, "changed my mind");
        await CancelAsync(support, theirs, "chargeback risk, do not tell");
        var (returned, product) = await _app.ShippedAsync();
        (await warehouse.PostAsJsonAsync($"/api/orders/{returned}/returns", new { lines = new[] { new { productId = product, quantity = 1 } }, reason = "looks worn" }))
            .EnsureSuccessStatusCode();
        using var receiver = As(TestAuthority.Shared.CustomerToken((Guid)(await _app.OrderAsync(returned))["customerId"]!));

        // Both items of the cancel have the reason: the request, and the order that is cancelled when the stock is released.
        Assert.Equal(["changed my mind", "changed my mind"], await ReasonsAsync(_customer, mine));
        Assert.Empty(await ReasonsAsync(_customer, theirs));
        Assert.Empty(await ReasonsAsync(receiver, returned));
        Assert.Equal(["chargeback risk, do not tell", "chargeback risk, do not tell"], await ReasonsAsync(support, theirs));
        Assert.Equal(["looks worn"], await ReasonsAsync(support, returned));
        foreach (var path in new[] { $"/api/orders/{theirs}", $"/api/orders/{theirs}/timeline", "/api/orders", $"/api/customers/{_own}/orders/recent" })
        {
            Assert.DoesNotContain("chargeback", await _customer.GetStringAsync(path), StringComparison.Ordinal);
        }

        async Task CancelAsync(HttpClient client, Guid order, string reason)
        {
            (await client.PostAsJsonAsync($"/api/orders/{order}/cancel", new { reason })).EnsureSuccessStatusCode();
            await _app.AnswerAsync(order, 2, "released");
            await _app.WaitForAsync(order, "cancelled");
        }

        static async Task<List<string>> ReasonsAsync(HttpClient client, Guid order) =>
            [.. (await client.GetFromJsonAsync<JsonNode>($"/api/orders/{order}/timeline"))!["items"]!.AsArray().Select(item => (string?)item!["data"]!["reason"]).OfType<string>()];
    }

    [Fact]
    public async Task Everybody_reads_why_an_order_expired()
    {
        var order = await OrderOfAsync(_own);
        await _app.ExecuteAsync(
            """
            UPDATE order_history SET what = 'order expired', data = '{"status": "expired", "by": "sweep", "reason": "Inventory did not answer in time."}' WHERE order_id = $1
            """, order);

        Assert.Contains("did not answer", await _customer.GetStringAsync($"/api/orders/{order}/timeline"), StringComparison.Ordinal);
    }

    private HttpClient As(string? token)
    {
        var client = _app.CreateClient();
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Places an order as the customer.</summary>
    private async Task<Guid> OrderOfAsync(Guid customer)
    {
        using var client = As(TestAuthority.Shared.CustomerToken(customer));
        using var answer = await PlaceAsync(customer, _app.Neighbours.AddProduct(), Guid.CreateVersion7().ToString(), client);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (Guid)(await OrdersApp.BodyAsync(answer))["id"]!;
    }

    private async Task<HttpResponseMessage> PlaceAsync(Guid customer, Guid product, string key, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = JsonContent.Create(OrdersApp.Body(customer, (product, 1))) };
        request.Headers.Add("Idempotency-Key", key);
        return await (client ?? _customer).SendAsync(request);
    }

    private async Task<JsonArray> ItemsAsync(string path) => (await _customer.GetFromJsonAsync<JsonNode>(path))!["items"]!.AsArray();

    private async Task<string> NormalizedAsync(HttpRequestMessage request, Guid id)
    {
        using var answer = await _customer.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        var trace = body.Length > 0 ? (string)JsonNode.Parse(body)!["traceId"]! : "TRACE";
        return $"{answer.StatusCode} {answer.Headers.ETag} {body.Replace(id.ToString(), "ID", StringComparison.Ordinal).Replace(trace, "TRACE", StringComparison.Ordinal)}";
    }

    private static HttpRequestMessage With(HttpRequestMessage request, string name, string value)
    {
        request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }
}
