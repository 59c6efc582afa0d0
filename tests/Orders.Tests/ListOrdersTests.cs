using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class ListOrdersTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

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
        await ExpectAsync("status=cancelPending,pending,expired", 3, 2, 1, 0);
        await ExpectAsync("status=cancelPending,pending&sort=placedAt&placedFrom=2026-02-01T00:00:00Z", 1, 2, 3);
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

    [Fact]
    public async Task A_list_of_states_is_read_page_by_page()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var placed = new List<Guid>();
        for (var month = 1; month <= 6; month++)
        {
            placed.Add(await PlaceAsync(customer, product, cancel: month % 2 == 0, $"2026-0{month}-01"));
        }

        var read = new List<Guid>();
        var next = "";
        do
        {
            var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?status=pending,cancelPending&limit=2{next}"))!;
            read.AddRange(page["items"]!.AsArray().Select(order => (Guid)order!["id"]!));
            next = page["next"] is { } cursor ? $"&cursor={cursor}" : null;
        }
        while (next is not null);

        Assert.Equal(Enumerable.Reverse(placed), read);
    }

    // Fails when the list is read in the order of the ids: then all other orders are read only to be filtered out.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Orders_in_a_rare_state_are_found_without_reading_the_others(bool oldestFirst)
    {
        await _app.ExecuteAsync(
            """
            INSERT INTO orders (id, customer_id, status, version, currency, total, placed_at, updated_at, ship_to_erased)
            SELECT gen_random_uuid(), gen_random_uuid(), CASE n WHEN 1500 THEN 'rejected' ELSE 'delivered' END, 4, 'EUR', 1, now(), now(), false FROM generate_series(1, 3000) AS n
            """);
        await _app.ExecuteAsync("ANALYZE orders");
        await using var session = new CountedSession(_app.ConnectionString);
        var before = await session.RowsReadAsync("orders");
        var found = await new OrderSearch(session.Database).FindAsync(
            new(null, null, [OrderStatus.Rejected, OrderStatus.Expired], null, null, null, oldestFirst), null, 21, CancellationToken.None);
        Assert.Single(found);
        Assert.InRange(await session.RowsReadAsync("orders") - before, 1, 50);
    }

    [Fact]
    public async Task Times_of_placement_are_compared_to_the_microsecond_and_the_end_is_exclusive()
    {
        var customer = _app.Neighbours.AddCustomer();
        var order = await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (_app.Neighbours.AddProduct(), 1))));
        var placedAt = (DateTimeOffset)order["placedAt"]!;
        async Task<int> CountAsync(string name, DateTimeOffset time) =>
            (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?customerId={customer}&{name}={time.UtcDateTime:O}"))!["items"]!.AsArray().Count;
        Assert.Equal((1, 0), (await CountAsync("placedFrom", placedAt), await CountAsync("placedFrom", placedAt.AddMicroseconds(1))));
        Assert.Equal((0, 1), (await CountAsync("placedTo", placedAt), await CountAsync("placedTo", placedAt.AddMicroseconds(1))));
        Assert.Equal((1, 0), (await CountAsync("placedFrom", DateTimeOffset.UnixEpoch.AddYears(-1)), await CountAsync("placedTo", DateTimeOffset.UnixEpoch.AddYears(-1))));
        Assert.Equal((0, 1), (await CountAsync("placedFrom", DateTimeOffset.MaxValue), await CountAsync("placedTo", DateTimeOffset.MaxValue)));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=", "cursor")]
    [InlineData("status=lost", "status")]
    public async Task Invalid_parameters_are_400_and_named(string query, string path)
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

        // As if it had been placed at that time, with an id of that time too.
        var placedAt = DateTimeOffset.Parse(day + "T00:00:00Z", CultureInfo.InvariantCulture);
        var idOfThen = Guid.CreateVersion7(placedAt);
        await _app.ExecuteAsync(
            """
            WITH o AS (UPDATE orders SET id = $2, placed_at = $3 WHERE id = $1), l AS (UPDATE order_lines SET order_id = $2 WHERE order_id = $1)
            UPDATE order_history SET order_id = $2 WHERE order_id = $1
            """,
            id, idOfThen, placedAt);
        return idOfThen;
    }
}
