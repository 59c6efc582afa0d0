using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class ListOrdersTests(InfrastructureFixture infrastructure) : IAsyncLifetime
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
    public async Task Each_filter_leaves_out_what_it_should()
    {
        var (maria, ana) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddCustomer());
        var (tea, cake) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddProduct());
        Guid[] orders =
        [
            await PlaceAsync(maria, tea, cancel: false, "2026-01-01"),
            await PlaceAsync(maria, cake, cancel: true, "2026-02-01"),
            await PlaceAsync(ana, tea, cancel: true, "2026-03-01"),
            await PlaceAsync(ana, cake, cancel: false, "2026-04-01"),
        ];

        await ExpectAsync("", 3, 2, 1, 0);
        await ExpectAsync($"customerId={maria}", 1, 0);
        await ExpectAsync($"productId={tea}", 2, 0);
        await ExpectAsync("status=pending", 3, 0);
        await ExpectAsync("status=cancelPending", 2, 1);
        await ExpectAsync("placedFrom=2026-02-01T00:00:00Z", 3, 2, 1);
        await ExpectAsync("placedTo=2026-03-01T00:00:00Z", 1, 0);
        await ExpectAsync("placedFrom=2026-02-01T02:00:00%2B02:00&placedTo=2026-04-01T00:00:00Z", 2, 1);
        await ExpectAsync($"customerId={ana}&productId={cake}&status=pending&placedFrom=2026-04-01T00:00:00Z", 3);
        await ExpectAsync($"customerId={Guid.CreateVersion7()}");

        async Task ExpectAsync(string query, params int[] expected)
        {
            var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?{query}"))!;
            Assert.Equal(expected.Select(i => orders[i]), page["items"]!.AsArray().Select(o => (Guid)o!["id"]!));
        }
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=", "cursor")]
    [InlineData("status=lost", "status")]
    public async Task What_cannot_be_read_is_400_and_named(string query, string path)
    {
        var response = await _http.GetAsync($"/api/orders?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await OrdersApp.BodyAsync(response))["errors"]!.AsObject().Single().Key);
    }

    private async Task<Guid> PlaceAsync(Guid customer, Guid product, bool cancel, string day)
    {
        var id = (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))))["id"]!;
        if (cancel)
        {
            (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { })).EnsureSuccessStatusCode();
        }

        await _app.ExecuteAsync("UPDATE orders SET placed_at = $2::text::timestamptz WHERE id = $1", id, day + "T00:00:00Z");
        return id;
    }
}
