using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>Outcomes, revisions, cancels and shipping, over HTTP and Kafka.</summary>
[Collection(OrdersCollection.Name)]
public sealed class OrderChangesTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private async Task<Guid> PlacedAsync() =>
        (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (_app.Neighbours.AddProduct(), 3)))))["id"]!;

    private async Task<HttpResponseMessage> ReviseAsync(Guid id, string? ifMatch, params (Guid Product, int Quantity)[] lines)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{id}/lines")
        {
            Content = JsonContent.Create(new { lines = lines.Select(l => new { productId = l.Product, quantity = l.Quantity }) }),
        };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await _http.SendAsync(request);
    }

    [Fact]
    public async Task A_rejection_keeps_its_lines()
    {
        var id = await PlacedAsync();
        var product = Guid.CreateVersion7();
        await _app.AnswerAsync(id, 1, "rejected", [new { productId = product, requested = 3, available = 1 }]);
        await _app.WaitForAsync(id, "rejected");
        var order = await _app.OrderAsync(id);
        Assert.Equal("insufficientStock", (string?)order["rejection"]!["code"]);
        Assert.Equal((3, 1), ((int)order["rejection"]!["lines"]![0]!["requested"]!, (int)order["rejection"]!["lines"]![0]!["available"]!));
        var updated = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 1))[0];
        Assert.Equal(("rejected", "pending"), (updated.Json.GetProperty("status").GetString(), updated.Json.GetProperty("previousStatus").GetString()));
    }

    [Fact]
    public async Task A_second_a_late_and_an_unknown_outcome_change_nothing()
    {
        var id = await PlacedAsync();
        var first = await _app.AnswerAsync(id, 1, "reserved");
        await _app.WaitForAsync(id, "confirmed");
        await _app.AnswerAsync(id, 1, "reserved", eventId: first);
        await _app.AnswerAsync(id, 1, "rejected");
        await _app.AnswerAsync(Guid.CreateVersion7(), 1, "reserved");
        await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { });
        await _app.AnswerAsync(id, 3, "released");
        await _app.WaitForAsync(id, "cancelled");
        var versions = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 3)).Select(r => r.Json.GetProperty("version").GetInt32());
        Assert.Equal([2, 3, 4], versions);
    }

    [Fact]
    public async Task A_cancel_answers_202_then_200_and_does_nothing_twice()
    {
        var (id, _) = await _app.ConfirmedAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed their mind" })).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "again" })).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await _http.PostAsync($"/api/orders/{id}/cancel", null)).StatusCode);
        await _app.AnswerAsync(id, 3, "released");
        await _app.WaitForAsync(id, "cancelled");
        Assert.Equal(HttpStatusCode.OK, (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { })).StatusCode);
        Assert.Equal(4, (int)(await _app.OrderAsync(id))["version"]!);
    }

    [Fact]
    public async Task An_illegal_step_is_409_and_changes_nothing()
    {
        var id = await PlacedAsync();
        var ship = await _http.PostAsJsonAsync($"/api/orders/{id}/ship", new { });
        Assert.Equal(HttpStatusCode.Conflict, ship.StatusCode);
        Assert.EndsWith("/illegal-transition", (string?)(await OrdersApp.BodyAsync(ship))["type"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsync($"/api/orders/{id}/deliver", null)).StatusCode);
        Assert.Equal(("pending", 1), ((string?)(await _app.OrderAsync(id))["status"], (int)(await _app.OrderAsync(id))["version"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await _http.PostAsJsonAsync($"/api/orders/{Guid.CreateVersion7()}/cancel", new { })).StatusCode);
    }

    [Fact]
    public async Task Shipping_and_delivering_end_the_order()
    {
        var (id, _) = await _app.ConfirmedAsync();
        var shipped = await OrdersApp.BodyAsync(await _http.PostAsJsonAsync($"/api/orders/{id}/ship", new { carrier = "DHL", trackingNumber = "123" }));
        Assert.Equal(("shipped", "DHL", "123"), ((string?)shipped["status"], (string?)shipped["carrier"], (string?)shipped["trackingNumber"]));
        Assert.Equal(HttpStatusCode.OK, (await _http.PostAsync($"/api/orders/{id}/ship", null)).StatusCode);
        Assert.Equal("delivered", (string?)(await OrdersApp.BodyAsync(await _http.PostAsync($"/api/orders/{id}/deliver", null)))["status"]);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { })).StatusCode);
    }

    [Fact]
    public async Task A_revision_needs_the_current_version()
    {
        var (id, product) = await _app.ConfirmedAsync();
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await ReviseAsync(id, null, (product, 5))).StatusCode);
        var stale = await ReviseAsync(id, "\"1\"", (product, 5));
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(2, (int)(await OrdersApp.BodyAsync(stale))["version"]!);
        Assert.Equal(HttpStatusCode.Accepted, (await ReviseAsync(id, "\"2\"", (product, 5))).StatusCode);
    }

    [Fact]
    public async Task A_revision_keeps_the_currency()
    {
        var (id, product) = await _app.ConfirmedAsync();
        foreach (var lines in new[] { [(_app.Neighbours.AddProduct(currency: "USD"), 1)], new[] { (product, 1), (_app.Neighbours.AddProduct(currency: "USD"), 1) } })
        {
            var mixed = await ReviseAsync(id, "\"2\"", lines);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, mixed.StatusCode);
            Assert.EndsWith("/mixed-currency", (string?)(await OrdersApp.BodyAsync(mixed))["type"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_revision_takes_effect_only_when_Inventory_has_revised()
    {
        var (id, product) = await _app.ConfirmedAsync();
        var extra = _app.Neighbours.AddProduct(price: 2.00m);
        var pending = await OrdersApp.BodyAsync(await ReviseAsync(id, "\"2\"", (product, 1), (extra, 2)));
        Assert.Equal(("revisionPending", 54.00m), ((string?)pending["status"], (decimal)pending["total"]!["amount"]!));
        Assert.Equal("pending", (string?)pending["revision"]!["status"]);
        await _app.AnswerAsync(id, 3, "revised");
        await _app.WaitForAsync(id, "confirmed");
        var order = await _app.OrderAsync(id);
        Assert.Equal((22.00m, 2, "applied"), ((decimal)order["total"]!["amount"]!, order["lines"]!.AsArray().Count, (string?)order["revision"]!["status"]));
    }

    [Fact]
    public async Task A_refused_revision_changes_nothing_and_remains_readable()
    {
        var (id, product) = await _app.ConfirmedAsync();
        await ReviseAsync(id, "\"2\"", (product, 900));
        await _app.AnswerAsync(id, 3, "revisionRejected", [new { productId = product, requested = 900, available = 3 }]);
        await _app.WaitForAsync(id, "confirmed");
        var order = await _app.OrderAsync(id);
        Assert.Equal((54.00m, "rejected", 3), ((decimal)order["total"]!["amount"]!, (string?)order["revision"]!["status"], (int)order["revision"]!["rejection"]!["lines"]![0]!["available"]!));
        Assert.Null(order["rejection"]);
    }

    [Fact]
    public async Task A_kept_product_keeps_its_price_also_when_discontinued_but_not_more_of_it()
    {
        var (id, product) = await _app.ConfirmedAsync();
        await _app.PublishProductAsync(product, 2, "discontinued");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ReviseAsync(id, "\"2\"", (product, 4))).StatusCode);
        var revised = await OrdersApp.BodyAsync(await ReviseAsync(id, "\"2\"", (product, 2)));
        Assert.Equal(18.00m, (decimal)revised["revision"]!["lines"]![0]!["unitPrice"]!["amount"]!);
    }

    [Fact]
    public async Task A_short_revision_is_409_and_only_a_confirmed_order_can_be_revised()
    {
        var (id, product) = await _app.ConfirmedAsync();
        _app.Neighbours.Available[product] = 4;
        Assert.Equal(HttpStatusCode.Conflict, (await ReviseAsync(id, "\"2\"", (product, 5))).StatusCode);
        var pending = await PlacedAsync();
        var response = await ReviseAsync(pending, "\"1\"", (product, 1));
        Assert.EndsWith("/illegal-transition", (string?)(await OrdersApp.BodyAsync(response))["type"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Orders_are_listed_by_customer_status_and_product_newest_first()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var placed = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            placed.Add((Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))))["id"]!);
        }

        placed.Reverse();
        var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?customerId={customer}&limit=2"))!;
        Assert.Equal(placed.Take(2), page["items"]!.AsArray().Select(o => (Guid)o!["id"]!));
        var rest = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?customerId={customer}&limit=2&cursor={page["next"]}"))!;
        Assert.Equal(placed.Skip(2), rest["items"]!.AsArray().Select(o => (Guid)o!["id"]!));
        Assert.Null(rest["next"]);
        Assert.Equal(3, (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?productId={product}&status=pending&placedFrom=2020-01-01T00:00:00%2B02:00"))!["items"]!.AsArray().Count);
        Assert.Empty((await _http.GetFromJsonAsync<JsonNode>($"/api/orders?productId={product}&placedTo=2020-01-01T00:00:00Z"))!["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/orders?status=lost")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/orders?customerId=x")).StatusCode);
        Assert.True((bool)(await _http.GetFromJsonAsync<JsonNode>($"/internal/orders/open?productId={product}"))!["open"]!);
    }

    [Fact]
    public async Task A_product_that_only_a_pending_revision_adds_is_in_an_open_order()
    {
        var (id, product) = await _app.ConfirmedAsync();
        var (added, other) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddProduct());
        async Task<bool> IsOpenAsync(Guid p) => (bool)(await _http.GetFromJsonAsync<JsonNode>($"/internal/orders/open?productId={p}"))!["open"]!;
        Assert.False(await IsOpenAsync(added));
        await ReviseAsync(id, "\"2\"", (product, 3), (added, 1));
        Assert.Equal((true, false), (await IsOpenAsync(added), await IsOpenAsync(other)));
        await _app.AnswerAsync(id, 3, "revisionRejected", [new { productId = added, requested = 1, available = 0 }]);
        await _app.WaitForAsync(id, "confirmed");
        Assert.False(await IsOpenAsync(added));
    }

    [Fact]
    public async Task Recent_orders_show_a_change_immediately()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        async Task<List<(Guid, string?)>> RecentAsync() =>
            [.. (await _http.GetFromJsonAsync<JsonNode>($"/api/customers/{customer}/orders/recent"))!["items"]!.AsArray().Select(o => ((Guid)o!["id"]!, (string?)o["status"]))];
        Assert.Empty(await RecentAsync());
        var id = (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))))["id"]!;
        Assert.Equal([(id, "pending")], await RecentAsync());
        await _app.AnswerAsync(id, 1, "reserved");
        await _app.WaitForAsync(id, "confirmed");
        Assert.Equal([(id, "confirmed")], await RecentAsync());
    }

    [Fact]
    public async Task An_unchanged_order_is_304()
    {
        var id = await PlacedAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/orders/{id}");
        request.Headers.TryAddWithoutValidation("If-None-Match", "\"1\"");
        Assert.Equal(HttpStatusCode.NotModified, (await _http.SendAsync(request)).StatusCode);
    }
}
