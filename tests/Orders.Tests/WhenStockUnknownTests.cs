using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class WhenStockUnknownTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task Refuse_answers_503_and_makes_no_order()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure, ("Orders:WhenStockUnknown", "Refuse"));
        app.Neighbours.InventoryIsDown = true;
        var customer = app.Neighbours.AddCustomer();
        var response = await app.PlaceAsync(OrdersApp.Body(customer, (app.Neighbours.AddProduct(), 1)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal(0L, await app.QueryAsync<long>("SELECT count(*) FROM orders WHERE customer_id = $1", customer));
    }

    [Fact]
    public async Task None_makes_no_stock_check()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure, ("Orders:StockCheck", "None"));
        var product = app.Neighbours.AddProduct();
        app.Neighbours.Available[product] = 0;
        Assert.Equal(HttpStatusCode.Created, (await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 1)))).StatusCode);
    }
}
