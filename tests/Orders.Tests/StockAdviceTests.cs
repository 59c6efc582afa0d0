using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>How often Orders queries Inventory, and which orders it accepts on a slightly old answer.</summary>
[Collection(OrdersCollection.Name)]
public sealed class StockAdviceTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;

    public async Task InitializeAsync() => _app = await OrdersApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private async Task<HttpStatusCode> PlaceAsync(params (Guid Product, int Quantity)[] lines) =>
        (await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), lines))).StatusCode;

    [Fact]
    public async Task Many_orders_of_ample_stock_need_one_check()
    {
        var (tea, cups) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddProduct());
        (_app.Neighbours.Available[tea], _app.Neighbours.Available[cups]) = (1_000_000, 1_000_000);
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((tea, 1), (cups, 2)));
        Assert.Equal(1, _app.Neighbours.Checks);
        // Fewer than a refresh per second could add: while an answer is valid, no order queries Inventory.
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.Created, await PlaceAsync((cups, 1), (tea, 3)));
        }

        Assert.All(_app.Neighbours.CheckedProducts, products => Assert.Equal(2, products.Length));
        Assert.InRange(_app.Neighbours.Checks, 1, 10);
    }

    [Fact]
    public async Task Scarce_stock_is_checked_each_time_and_a_shortage_needs_a_fresh_answer()
    {
        var product = _app.Neighbours.AddProduct();
        _app.Neighbours.Available[product] = 199;
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 2)));
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 2)));
        Assert.Equal(2, _app.Neighbours.Checks);
        _app.Neighbours.Available[product] = 1;
        Assert.Equal(HttpStatusCode.Conflict, await PlaceAsync((product, 2)));
        _app.Neighbours.Available[product] = 2;
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 2)));
        Assert.Equal(4, _app.Neighbours.Checks);
    }

    [Fact]
    public async Task Units_of_accepted_orders_are_subtracted_from_the_remembered_answer()
    {
        var product = _app.Neighbours.AddProduct();
        _app.Neighbours.Available[product] = 1_000;
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 1)));
        _app.Neighbours.Available[product] = 0;
        // A hundred times what is wanted plus ten times what has passed may not exceed 1,000: with 10 units each, only the first passes.
        Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 10)));
        Assert.Equal(HttpStatusCode.Conflict, await PlaceAsync((product, 10)));
    }

    [Fact]
    public async Task After_a_refusal_the_next_order_is_checked_regardless_of_remembered_answers()
    {
        var product = _app.Neighbours.AddProduct();
        _app.Neighbours.Available[product] = 1_000_000;
        var order = (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (product, 1)))))["id"]!;
        _app.Neighbours.Available[product] = 0;
        await _app.AnswerAsync(order, 1, "rejected", [new { productId = product, requested = 1, available = 0 }]);
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE status = 'rejected'") == 1, TimeSpan.FromSeconds(30), "the order is rejected");

        // The answer is discarded just after the commit seen here, so one more order may still pass on it.
        HttpStatusCode[] next = [await PlaceAsync((product, 1)), await PlaceAsync((product, 1)), await PlaceAsync((product, 1))];
        Assert.InRange(next.Count(status => status == HttpStatusCode.Created), 0, 1);
        Assert.Equal(HttpStatusCode.Conflict, next[^1]);
    }

    [Fact]
    public async Task Stale_answers_are_refreshed_in_the_background_for_all_products_in_one_request()
    {
        Guid[] products = [.. Enumerable.Range(0, 5).Select(_ => _app.Neighbours.AddProduct())];
        foreach (var product in products)
        {
            _app.Neighbours.Available[product] = 1_000_000;
            Assert.Equal(HttpStatusCode.Created, await PlaceAsync((product, 1)));
        }

        Assert.Equal(5, _app.Neighbours.Checks);
        // Orders of one product each continue until one request asks for several products, which none of these orders does.
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.All(await Task.WhenAll(products.Select(product => PlaceAsync((product, 1)))), status => Assert.Equal(HttpStatusCode.Created, status));
                return _app.Neighbours.CheckedProducts.Any(asked => asked.Length == 5);
            },
            TimeSpan.FromSeconds(30), "the answers are refreshed together");
    }

    [Fact]
    public async Task An_order_with_a_hold_is_checked_each_time()
    {
        var product = _app.Neighbours.AddProduct();
        _app.Neighbours.Available[product] = 1_000_000;
        for (var i = 0; i < 3; i++)
        {
            var lines = new[] { new { productId = product, quantity = 1 } };
            var placed = await _app.PlaceAsync(new { customerId = _app.Neighbours.AddCustomer(), lines, holdId = Guid.CreateVersion7() });
            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        }

        Assert.Equal(3, _app.Neighbours.Checks);
    }

    [Fact]
    public async Task Forty_buyers_get_exactly_ten_units_although_the_check_reports_ample_stock()
    {
        var product = _app.Neighbours.AddProduct();
        _app.Neighbours.Available[product] = 1_000_000;
        var placed = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            var answer = await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (product, 1)));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            return (Guid)(await OrdersApp.BodyAsync(answer))["id"]!;
        }));
        // The reservation decides: Inventory has ten units.
        foreach (var (id, i) in placed.Select((id, i) => (id, i)))
        {
            await _app.AnswerAsync(id, 1, i < 10 ? "reserved" : "rejected");
        }

        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE status = 'pending'") == 0, TimeSpan.FromSeconds(30), "all are decided");
        Assert.Equal(10L, await _app.QueryAsync<long>("SELECT sum(l.quantity)::bigint FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.status = 'confirmed'"));
        Assert.Equal(30L, await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE status = 'rejected'"));
    }
}
