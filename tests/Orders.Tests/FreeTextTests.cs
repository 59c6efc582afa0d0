using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>Free text in an order: it is in no event, and it is erased with the customer once the order is final.</summary>
[Collection(OrdersCollection.Name)]
public sealed class FreeTextTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const string FreeText = "Maria Anders moved";

    private OrdersApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await OrdersApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private async Task PostAsync(Guid id, string what, object body) =>
        (await _http.PostAsJsonAsync($"/api/orders/{id}/{what}", body)).EnsureSuccessStatusCode();

    /// <summary>Everything that the service returns or stores about the order.</summary>
    private async Task<string> EverythingAsync(Guid id, Guid customer) => string.Concat(
        await _http.GetStringAsync($"/api/orders/{id}"), await _http.GetStringAsync($"/api/orders/{id}/timeline"),
        await _http.GetStringAsync($"/api/customers/{customer}/orders/recent"), await _http.GetStringAsync($"/api/orders?customerId={customer}"),
        await _app.QueryAsync<string>("SELECT coalesce(string_agg(o::text || h::text, ' '), '') FROM orders o JOIN order_history h ON h.order_id = o.id WHERE o.id = $1", id));

    private async Task<Guid> CustomerOfAsync(Guid id) => (Guid)(await _app.OrderAsync(id))["customerId"]!;

    [Fact]
    public async Task Reasons_carriers_and_tracking_numbers_are_in_no_event()
    {
        var (cancelled, _) = await _app.ConfirmedAsync();
        await PostAsync(cancelled, "cancel", new { reason = FreeText });
        var (returned, product) = await _app.ConfirmedAsync();
        await PostAsync(returned, "ship", new { carrier = FreeText, trackingNumber = FreeText });
        await PostAsync(returned, "returns", new { lines = new[] { new { productId = product, quantity = 1 } }, reason = FreeText });
        foreach (var (id, count) in new[] { (cancelled, 2), (returned, 3) })
        {
            var events = await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == count);
            Assert.All(events, e => Assert.DoesNotContain(FreeText, e.Value, StringComparison.Ordinal));
            Assert.All(events, e => Assert.Equal(System.Text.Json.JsonValueKind.Null, e.Json.GetProperty("reason").ValueKind));
        }

        Assert.Contains(FreeText, await EverythingAsync(cancelled, await CustomerOfAsync(cancelled)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_removed_from_a_final_order_when_the_customer_is_erased()
    {
        var (id, _) = await _app.ConfirmedAsync();
        var customer = await CustomerOfAsync(id);
        await PostAsync(id, "cancel", new { reason = FreeText });
        await _app.AnswerAsync(id, 3, "released");
        await _app.WaitForAsync(id, "cancelled");
        Assert.Contains(FreeText, await EverythingAsync(id, customer), StringComparison.Ordinal);
        await _app.EraseAsync(customer);
        await Eventually.TrueAsync(
            async () => !(await EverythingAsync(id, customer)).Contains(FreeText, StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the free text is removed");
    }

    [Fact]
    public async Task They_stay_while_the_order_is_on_its_way_and_are_removed_when_it_is_delivered()
    {
        var (id, product) = await _app.ConfirmedAsync();
        var customer = await CustomerOfAsync(id);
        await PostAsync(id, "ship", new { carrier = FreeText, trackingNumber = FreeText });
        await _app.EraseAsync(customer);
        Assert.Equal(FreeText, (string?)(await _app.OrderAsync(id))["carrier"]);
        var delivered = await _http.PostAsync($"/api/orders/{id}/deliver", null);
        Assert.DoesNotContain(FreeText, await delivered.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => !(await EverythingAsync(id, customer)).Contains(FreeText, StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the free text is removed");

        await PostAsync(id, "returns", new { lines = new[] { new { productId = product, quantity = 1 } }, reason = FreeText });
        Assert.DoesNotContain(FreeText, await EverythingAsync(id, customer), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("carrier", "\u200B")]
    [InlineData("carrier", "DHL\u0007")]
    [InlineData("trackingNumber", "\u200B")]
    [InlineData("trackingNumber", "0034\u200B0434")]
    [InlineData("trackingNumber", "\u202E4300")]
    [InlineData("trackingNumber", " 42")]
    [InlineData("trackingNumber", " ")]
    public async Task A_carrier_has_visible_characters_and_a_tracking_number_no_invisible_ones(string member, string text)
    {
        var (id, _) = await _app.ConfirmedAsync();

        var answer = await _http.PostAsJsonAsync($"/api/orders/{id}/ship", new JsonObject { [member] = text });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await OrdersApp.BodyAsync(answer))["errors"]![$"$.{member}"]);
        Assert.Equal("confirmed", (string?)(await _app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task A_shipment_is_corrected_by_shipping_again_with_other_numbers_until_it_has_arrived()
    {
        var (id, _) = await _app.ConfirmedAsync();
        await PostAsync(id, "ship", new { carrier = "DHL", trackingNumber = "41" });
        await PostAsync(id, "ship", new { carrier = "DHL", trackingNumber = "41" });
        await PostAsync(id, "ship", new { });
        Assert.Equal(3, (int)(await _app.OrderAsync(id))["version"]!);
        await PostAsync(id, "ship", new { trackingNumber = "42" });
        var order = await _app.OrderAsync(id);
        Assert.Equal(("DHL", "42", 4, "shipped"), ((string?)order["carrier"], (string?)order["trackingNumber"], (int)order["version"]!, (string?)order["status"]));
        var corrected = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 3))[2].Json;
        Assert.Equal(("shipped", "shipped", 4), (corrected.GetProperty("status").GetString(), corrected.GetProperty("previousStatus").GetString(), corrected.GetProperty("version").GetInt32()));
        var items = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!["items"]!.AsArray();
        Assert.Equal("42", (string?)items.Single(i => (string?)i!["what"] == "shipment corrected")!["data"]!["trackingNumber"]);

        await PostAsync(id, "deliver", new { });
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsJsonAsync($"/api/orders/{id}/ship", new { trackingNumber = "43" })).StatusCode);
    }
}
