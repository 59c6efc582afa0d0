using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>The stock check by HTTP, when Inventory is slow or fails.</summary>
[Collection(OrdersCollection.Name)]
public sealed class RestStockCheckTests(InfrastructureFixture infrastructure)
{
    [Theory]
    [InlineData("Accept", HttpStatusCode.Created)]
    [InlineData("Refuse", HttpStatusCode.ServiceUnavailable)]
    public async Task A_slow_Inventory_is_queried_twice_and_then_the_setting_decides(string whenUnknown, HttpStatusCode expected)
    {
        await using var app = await OrdersApp.StartAsync(infrastructure, ("Orders:WhenStockUnknown", whenUnknown));
        app.Neighbours.InventoryIsSlow = true;
        Assert.Equal(expected, (await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (app.Neighbours.AddProduct(), 1)))).StatusCode);
        Assert.Equal(2, app.Neighbours.Checks);
    }

    [Fact]
    public async Task Inventory_is_not_queried_for_a_while_after_repeated_failures()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure, ("Orders:WhenStockUnknown", "Refuse"));
        var customer = app.Neighbours.AddCustomer();
        Assert.Equal(HttpStatusCode.Created, (await app.PlaceAsync(OrdersApp.Body(customer, (app.Neighbours.AddProduct(), 1)))).StatusCode);
        var body = OrdersApp.Body(customer, (app.Neighbours.AddProduct(), 1));
        var before = app.Neighbours.Checks;
        app.Neighbours.InventoryIsDown = true;

        // Ten failed attempts open the circuit: five calls with one retry each. An attempt that times out on its way may arrive late, not arrive,
        // or not count: then it takes another call.
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => app.PlaceAsync(body)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode));
        Assert.InRange(app.Neighbours.Checks - before, 1, 10);
        await Eventually.TrueAsync(NobodyAsksAsync, TimeSpan.FromSeconds(10), "Inventory is not queried");
        Assert.InRange(app.Neighbours.Checks - before, 1, 12);

        app.Neighbours.InventoryIsDown = false;
        await Eventually.TrueAsync(
            async () => (await app.PlaceAsync(body)).StatusCode == HttpStatusCode.Created, TimeSpan.FromSeconds(30), "Inventory is queried again");

        async Task<bool> NobodyAsksAsync()
        {
            var asked = app.Neighbours.Checks;
            for (var call = 0; call < 3; call++)
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PlaceAsync(body)).StatusCode);
            }

            return app.Neighbours.Checks == asked;
        }
    }
}
