using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class ShipToTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await OrdersApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private static readonly object s_address = new { name = "Maria Anders", line1 = "Obere Str. 57", postalCode = "12209", city = "Berlin", country = "DE" };

    private Task<HttpResponseMessage> PlaceAsync(Guid customer, object shipTo) => _app.PlaceAsync(new
    {
        customerId = customer,
        lines = new[] { new { productId = _app.Neighbours.AddProduct(), quantity = 1 } },
        shipTo,
    });

    [Fact]
    public async Task It_is_kept_with_the_order_never_in_events_and_gone_when_the_customer_is_erased()
    {
        var customer = _app.Neighbours.AddCustomer();
        var placed = await PlaceAsync(customer, s_address);
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var id = (Guid)(await OrdersApp.BodyAsync(placed))["id"]!;
        Assert.Equal("Obere Str. 57", (string?)(await _app.OrderAsync(id))["shipTo"]!["line1"]);
        Assert.Equal("Obere Str. 57", (string?)(await RecentAsync(customer))["shipTo"]!["line1"]);
        Assert.DoesNotContain("Obere", (await _app.Kafka.ReadAsync("order.created", id.ToString(), seen => seen.Count == 1))[0].Value, StringComparison.Ordinal);

        await _app.Kafka.PublishAsync("customer.updated", "customer.updated.v1", customer.ToString(),
            $$"""{"customerId":"{{customer}}","version":2,"status":"erased","language":"de","channels":{"email":false,"sms":false,"webhook":false} }""");
        await Eventually.TrueAsync(async () => (await _app.OrderAsync(id))["shipTo"] is null, TimeSpan.FromSeconds(30), "the address is gone");
        Assert.Null((await RecentAsync(customer))["shipTo"]);
        Assert.Equal("pending", (string?)(await _app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task A_place_without_postal_codes_can_be_sent_to()
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

    private async Task<JsonNode> RecentAsync(Guid customer) =>
        (await _http.GetFromJsonAsync<JsonNode>($"/api/customers/{customer}/orders/recent"))!["items"]![0]!;
}
