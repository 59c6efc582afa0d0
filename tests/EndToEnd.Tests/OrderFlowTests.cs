using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

[Collection(SystemCollection.Name)]
public sealed class OrderFlowTests(SystemFixture system)
{
    private readonly Shop _shop = new(system.Gateway);

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task An_order_is_confirmed_its_stock_reserved_and_its_customer_notified()
    {
        var email = $"maria-{Guid.CreateVersion7():N}@example.com";
        var customer = await _shop.CustomerAsync(email);
        var product = await _shop.ProductAsync(stock: 10);

        var (status, order) = await _shop.PlaceAsync(customer, (product, 3), (product, 1));

        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("confirmed", (string?)order["status"]);
        Assert.Equal(72.00m, (decimal)order["total"]!["amount"]!);
        Assert.Equal((10, 4, 6), await _shop.StockAsync(product));

        var id = (Guid)order["id"]!;
        await Eventually.TrueAsync(
            async () => (await _shop.GetAsync($"/api/notifications?orderId={id}&status=sent"))["items"]!.AsArray()
                .Select(n => (string?)n!["template"]).Order().SequenceEqual(["orderConfirmed", "orderReceived"]),
            TimeSpan.FromSeconds(30), "both notifications are sent");
        Assert.Equal(2, await system.CountMailsAsync(email));

        var recent = (await _shop.GetAsync($"/api/customers/{customer}/orders/recent"))["items"]!.AsArray();
        Assert.Equal(id, (Guid)Assert.Single(recent)!["id"]!);
    }

    [Fact]
    public async Task A_shortage_is_refused_with_its_lines_and_makes_no_order()
    {
        var customer = await _shop.CustomerAsync();
        var (tea, rice) = (await _shop.ProductAsync(stock: 10), await _shop.ProductAsync(stock: 1));

        var (status, problem) = await _shop.PlaceAsync(customer, (tea, 1), (rice, 3));

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.EndsWith("/insufficient-stock", (string?)problem["type"], StringComparison.Ordinal);
        var line = Assert.Single(problem["lines"]!.AsArray())!;
        Assert.Equal((rice, 3, 1), ((Guid)line["productId"]!, (int)line["requested"]!, (int)line["available"]!));
        Assert.Empty((await _shop.GetAsync($"/api/orders?customerId={customer}"))["items"]!.AsArray());
        Assert.Equal((10, 0, 10), await _shop.StockAsync(tea));
    }

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_cancel_releases_the_stock()
    {
        var product = await _shop.ProductAsync(stock: 10);
        var (_, order) = await _shop.PlaceAsync(await _shop.CustomerAsync(), (product, 4));
        var id = (Guid)order["id"]!;
        Assert.Equal((10, 4, 6), await _shop.StockAsync(product));

        using var cancel = await system.Gateway.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed their mind" });

        Assert.Equal(HttpStatusCode.Accepted, cancel.StatusCode);
        await _shop.WaitForStatusAsync(id, "cancelled");
        Assert.Equal((10, 0, 10), await _shop.StockAsync(product));
    }

    [Fact]
    public async Task Revised_lines_move_the_reservation()
    {
        var (tea, rice) = (await _shop.ProductAsync(stock: 10), await _shop.ProductAsync(stock: 10));
        var (_, order) = await _shop.PlaceAsync(await _shop.CustomerAsync(), (tea, 8));
        var id = (Guid)order["id"]!;

        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{id}/lines")
        {
            // 10 is more than is available, but the order's own reservation counts.
            Content = JsonContent.Create(new { lines = new[] { new { productId = tea, quantity = 10 }, new { productId = rice, quantity = 1 } } }),
        };
        request.Headers.TryAddWithoutValidation("If-Match", $"\"{order["version"]}\"");
        using var response = await system.Gateway.SendAsync(request);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        await _shop.WaitForStatusAsync(id, "confirmed");
        Assert.Equal((10, 10, 0), await _shop.StockAsync(tea));
        Assert.Equal((10, 1, 9), await _shop.StockAsync(rice));
    }

    [Fact]
    public async Task Forty_buyers_at_once_get_exactly_the_last_ten_units()
    {
        var customer = await _shop.CustomerAsync();
        var product = await _shop.ProductAsync(stock: 10);

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _shop.PlaceAsync(customer, (product, 1))));

        // The check refuses most; the reservation rejects those that passed the check at the same moment.
        var refused = answers.Count(a => a.Status == HttpStatusCode.Conflict);
        var orders = answers.Where(a => a.Status == HttpStatusCode.Created).Select(a => (string?)a.Body["status"]).ToList();
        Assert.Equal((10, 30), (orders.Count(status => status == "confirmed"), refused + orders.Count(status => status == "rejected")));
        Assert.Equal((10, 10, 0), await _shop.StockAsync(product));
    }

    [Fact]
    public async Task A_new_price_applies_to_new_orders_and_moves_no_stock()
    {
        var (customer, product) = (await _shop.CustomerAsync(), await _shop.ProductAsync(stock: 1000, price: 18.00m));
        var (_, before) = await _shop.PlaceAsync(customer, (product, 3));

        using var patch = new HttpRequestMessage(HttpMethod.Patch, $"/api/products/{product}")
        {
            Content = JsonContent.Create(new { price = new { amount = 20.00m } }, new MediaTypeHeaderValue("application/merge-patch+json")),
        };
        patch.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        (await system.Gateway.SendAsync(patch)).EnsureSuccessStatusCode();
        var placed = 1;
        await Eventually.TrueAsync(
            async () =>
            {
                placed++;
                return (decimal)(await _shop.PlaceAsync(customer, (product, 1))).Body["total"]!["amount"]! == 20.00m;
            },
            TimeSpan.FromSeconds(30), "a new order has the new price");

        var after = await _shop.GetAsync($"/api/orders/{before["id"]}");
        Assert.Equal((54.00m, (long)before["version"]!), ((decimal)after["total"]!["amount"]!, (long)after["version"]!));
        Assert.Equal(3 + placed - 1, (await _shop.StockAsync(product)).Reserved);
    }

    [Fact]
    public async Task An_order_leaves_less_than_a_kilobyte_of_log()
    {
        const int Orders = 50;
        var (customer, product) = (await _shop.CustomerAsync(), await _shop.ProductAsync(stock: Orders));
        var before = system.Logs.All.Length;
        Assert.NotEqual(0, before);
        for (var i = 0; i < Orders; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await _shop.PlaceAsync(customer, (product, 1))).Status);
        }

        var printed = system.Logs.All[before..];
        Assert.True(printed.Length < Orders * 1024, printed);
    }
}
