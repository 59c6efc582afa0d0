using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>A product that was created a moment ago has no local copy yet.</summary>
[Collection(OrdersCollection.Name)]
public sealed class MissingCopiesTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;

    public async Task InitializeAsync() => _app = await OrdersApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    // Fails when each order makes its own call, or when one failed call refuses an order: the breaker opens after ten.
    [Fact]
    public async Task Forty_orders_for_a_new_product_by_a_new_customer_share_their_calls()
    {
        // The first call and its retry fail, as on a very busy machine.
        _app.Neighbours.ProductsFailures = 2;
        var (product, customer) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddCustomer());
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
        Assert.Equal((3, 3), (_app.Neighbours.ProductRequests, _app.Neighbours.CustomerRequests));

        // The answer is kept, although no event has arrived.
        Assert.Equal(HttpStatusCode.Created, (await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))).StatusCode);
        Assert.Equal((3, 3), (_app.Neighbours.ProductRequests, _app.Neighbours.CustomerRequests));
    }

    [Fact]
    public async Task A_deleted_local_copy_refuses_the_order_without_a_call()
    {
        var (product, customer) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddCustomer());
        await _app.PublishProductAsync(product, 2, "deleted");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))).StatusCode);
        Assert.Equal(0, _app.Neighbours.ProductRequests);
    }
}
