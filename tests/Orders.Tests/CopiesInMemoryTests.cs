using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>
/// A replica with old copies in memory: an event that another replica has handled counts for it too, without a message between them.
/// </summary>
[Collection(OrdersCollection.Name)]
public sealed class CopiesInMemoryTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;
    private OrdersApp _replica = null!;
    private Guid _customer;
    private Guid _product;

    public async Task InitializeAsync()
    {
        _app = await OrdersApp.StartAsync(infrastructure);
        _replica = await _app.StartReplicaAsync();
        (_customer, _product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        foreach (var app in new[] { _app, _replica })
        {
            // Twice: a copy fetched by a call is in memory only after it was read once more.
            await PlacedAsync(app);
            await PlacedAsync(app);
        }
    }

    public async Task DisposeAsync()
    {
        await _replica.DisposeAsync();
        await _app.DisposeAsync();
    }

    private Task<HttpResponseMessage> PlaceAsync(OrdersApp app, string? key = "") => app.PlaceAsync(OrdersApp.Body(_customer, (_product, 1)), key);

    private async Task<decimal> PlacedAsync(OrdersApp app)
    {
        var placed = await PlaceAsync(app);
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        return (decimal)(await OrdersApp.BodyAsync(placed))["total"]!["amount"]!;
    }

    /// <summary>Writes like an event handler of a third replica: neither of these two is notified.</summary>
    private Task WriteProductAsync(int version, decimal price, string status) => _app.ExecuteAsync(
        "UPDATE product_copies SET version = $2, price = $3, status = $4 WHERE product_id = $1", _product, (long)version, price, status);

    [Fact]
    public async Task A_new_price_applies_as_soon_as_its_event_is_handled()
    {
        await WriteProductAsync(2, 20.00m, "active");
        Assert.Equal(20.00m, await PlacedAsync(_replica));
        Assert.Equal(20.00m, await PlacedAsync(_app));
        await _app.PublishProductAsync(_product, 3, "active", 21.00m);
        Assert.Equal(21.00m, await PlacedAsync(_replica));
        Assert.Equal(21.00m, await PlacedAsync(_app));
    }

    [Fact]
    public async Task A_discontinued_product_and_an_erased_customer_can_no_longer_order()
    {
        await WriteProductAsync(2, 18.00m, "discontinued");
        foreach (var app in new[] { _app, _replica })
        {
            var refused = await PlaceAsync(app);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.EndsWith("/unknown-product", (string?)(await OrdersApp.BodyAsync(refused))["type"], StringComparison.Ordinal);
        }

        await WriteProductAsync(3, 18.00m, "active");
        Assert.Equal(18.00m, await PlacedAsync(_replica));
        await _app.ExecuteAsync("UPDATE customer_copies SET version = 9, status = 'erased' WHERE customer_id = $1", _customer);
        foreach (var app in new[] { _app, _replica })
        {
            var refused = await PlaceAsync(app);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.EndsWith("/unknown-customer", (string?)(await OrdersApp.BodyAsync(refused))["type"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Orders_that_arrive_together_with_old_and_new_prices_are_all_placed_at_the_new_one()
    {
        var other = _app.Neighbours.AddProduct(price: 5.00m);
        Assert.Equal(HttpStatusCode.Created, (await _app.PlaceAsync(OrdersApp.Body(_customer, (other, 1)))).StatusCode);
        await WriteProductAsync(2, 20.00m, "active");
        var placed = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            (Expected: i % 2 == 0 ? 20.00m : 5.00m, Answer: await _app.PlaceAsync(OrdersApp.Body(_customer, (i % 2 == 0 ? _product : other, 1))))));
        foreach (var (expected, answer) in placed)
        {
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            Assert.Equal(expected, (decimal)(await OrdersApp.BodyAsync(answer))["total"]!["amount"]!);
        }
    }

    [Theory]
    [InlineData("price")]
    [InlineData("discontinued")]
    [InlineData("short")]
    [InlineData("erased")]
    [InlineData("away")]
    public async Task A_replay_is_answered_regardless_of_later_changes(string change)
    {
        var first = await OrdersApp.BodyAsync(await PlaceAsync(_app, "key"));
        switch (change)
        {
            case "price":
                await WriteProductAsync(2, 20.00m, "active");
                break;
            case "discontinued":
                await WriteProductAsync(2, 18.00m, "discontinued");
                break;
            case "short":
                await WriteProductAsync(2, 18.00m, "discontinued");
                _app.Neighbours.Available[_product] = 0;
                break;
            case "erased":
                await _app.EraseAsync(_customer);
                break;
            default:
                await _app.ExecuteAsync("DELETE FROM product_copies");
                _app.Neighbours.ProductsIsDown = _app.Neighbours.InventoryIsDown = true;
                break;
        }

        foreach (var app in new[] { _replica, _app })
        {
            var again = await PlaceAsync(app, "key");
            Assert.Equal(HttpStatusCode.Created, again.StatusCode);
            Assert.Null(again.Headers.RetryAfter);
            Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
            Assert.Equal((string?)first["id"], (string?)(await OrdersApp.BodyAsync(again))["id"]);
        }
    }
}
