using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;
using StackExchange.Redis;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class RecentOrdersTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task They_are_the_newest_twenty_from_Redis_until_one_changes()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure);
        using var http = app.CreateClient();
        var (customer, product) = (app.Neighbours.AddCustomer(), app.Neighbours.AddProduct());
        var placed = new List<Guid>();
        async Task PlaceAsync() =>
            placed.Insert(0, (Guid)(await OrdersApp.BodyAsync(await app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))))["id"]!);
        async Task<List<(Guid Id, string? Status)>> RecentAsync() =>
            [.. (await http.GetFromJsonAsync<JsonNode>($"/api/customers/{customer}/orders/recent"))!["items"]!.AsArray().Select(o => ((Guid)o!["id"]!, (string?)o["status"]))];
        for (var i = 0; i < 21; i++)
        {
            await PlaceAsync();
        }

        await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 1)));
        Assert.Equal(placed.Take(20), (await RecentAsync()).Select(o => o.Id));

        // The marker of the last change must expire first, and a request does not wait until the cache is filled.
        await using var redis = await ConnectionMultiplexer.ConnectAsync(infrastructure.Redis);
        await Eventually.TrueAsync(
            async () => (await RecentAsync()).Count == 20 && (await redis.GetDatabase().StringGetAsync($"orders:recent:{customer}")).ToString().StartsWith('['),
            TimeSpan.FromSeconds(20), "the orders are in Redis");
        await app.ExecuteAsync("UPDATE orders SET status = 'delivered' WHERE customer_id = $1", customer);
        Assert.All(await RecentAsync(), order => Assert.Equal("pending", order.Status));

        await PlaceAsync();
        var recent = await RecentAsync();
        Assert.Equal(placed.Take(20), recent.Select(o => o.Id));
        Assert.Equal(["pending", .. Enumerable.Repeat("delivered", 19)], recent.Select(o => o.Status));
    }
}
