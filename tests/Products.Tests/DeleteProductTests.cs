using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class DeleteProductTests(ProductsApp app)
{
    [Fact]
    public async Task Removes_it_from_the_catalogue_and_keeps_its_sku_in_use()
    {
        var product = await app.CreateAsync();
        var path = $"/api/products/{product.Id}";
        (await app.Api.GetAsync(path)).ShouldBe(200);

        Assert.Empty((await app.Api.DeleteAsync(path, product.IfMatch)).ShouldBe(204).Body);

        (await app.Api.GetAsync(path)).ShouldBeProblem(404, "not-found");
        (await app.Api.PutAsync(path, ProductsApp.NewProduct().ToJsonString(), ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.DeleteAsync(path, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        Assert.Empty((await app.Api.GetAsync($"/api/products?sku={product.Json["sku"]}")).Json["items"]!.AsArray());
        (await app.Api.PostAsync("/api/products", ProductsApp.NewProduct((string)product.Json["sku"]!).ToJsonString())).ShouldBeProblem(409, "sku-taken");
    }

    [Fact]
    public async Task Returns_409_while_open_orders_have_the_product()
    {
        var product = await app.CreateAsync();
        app.Orders.HasOpenOrders(product.Id);

        var refused = (await app.Api.DeleteAsync($"/api/products/{product.Id}", product.IfMatch)).ShouldBeProblem(409, "product-in-open-orders");
        Assert.Contains("discontinued", (string)refused.Json["detail"]!, StringComparison.Ordinal);
        Assert.Equal(product.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200).Body);
        // The alternative in the problem's detail works, and the product keeps its SKU as after a deletion.
        (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"status": "discontinued"}""", product.IfMatch)).ShouldBe(200);
        (await app.Api.DeleteAsync($"/api/products/{product.Id}", ("If-Match", "*"))).ShouldBeProblem(409, "product-in-open-orders");

        app.Orders.HasNoOpenOrders(product.Id);
        (await app.Api.DeleteAsync($"/api/products/{product.Id}", ("If-Match", "\"2\""))).ShouldBe(204);
    }

    [Theory]
    [InlineData(nameof(FakeOrders.Fails))]
    [InlineData(nameof(FakeOrders.AnswersNonsense))]
    [InlineData(nameof(FakeOrders.BreaksOff))]
    public async Task Returns_503_with_retry_after_when_orders_gives_no_valid_answer(string how)
    {
        var product = await app.CreateAsync();
        Action<Guid> misbehave = how switch
        {
            nameof(FakeOrders.Fails) => app.Orders.Fails,
            nameof(FakeOrders.AnswersNonsense) => app.Orders.AnswersNonsense,
            _ => app.Orders.BreaksOff,
        };
        misbehave(product.Id);

        var response = await app.Api.DeleteAsync($"/api/products/{product.Id}", product.IfMatch);

        response.ShouldBeProblem(503, "dependency-unavailable");
        Assert.NotNull(response.Headers.RetryAfter);
        (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200);
    }

    [Fact]
    public async Task Returns_503_when_orders_is_down()
    {
        await using var alone = app.StartReplica(ordersAddress: "http://127.0.0.1:1");
        var product = await app.CreateAsync();

        var response = await alone.Api.DeleteAsync($"/api/products/{product.Id}", product.IfMatch);

        response.ShouldBeProblem(503, "dependency-unavailable");
        Assert.NotNull(response.Headers.RetryAfter);
        (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200);
    }

    [Fact]
    public async Task Does_not_query_orders_for_a_while_after_repeated_failures()
    {
        // Its own replica and its own Orders: the others are not affected.
        await using var orders = new FakeOrders();
        await orders.StartAsync();
        await using var alone = app.StartReplica(orders.Address);
        var product = await app.CreateAsync();
        var path = $"/api/products/{product.Id}";
        orders.Fails(product.Id);
        Task<ApiResponse> DeleteAsync() => alone.Api.DeleteAsync(path, product.IfMatch);

        // Five calls with one retry each are the ten attempts that open the circuit.
        for (var i = 0; i < 5; i++)
        {
            (await DeleteAsync()).ShouldBeProblem(503, "dependency-unavailable");
        }

        Assert.Equal(10, orders.Calls);
        (await DeleteAsync()).ShouldBeProblem(503, "dependency-unavailable");
        Assert.Equal(10, orders.Calls);

        orders.HasNoOpenOrders(product.Id);
        await Eventually.TrueAsync(async () => (await DeleteAsync()).Status == 204, TimeSpan.FromSeconds(30), "Orders is queried again");
    }

    [Fact]
    public async Task Returns_428_without_if_match_and_412_when_it_is_another()
    {
        var product = await app.CreateAsync();

        (await app.Api.DeleteAsync($"/api/products/{product.Id}")).ShouldBeProblem(428, "precondition-required");
        (await app.Api.DeleteAsync($"/api/products/{product.Id}", ("If-Match", "\"9\""))).ShouldBeProblem(412, "precondition-failed");
    }

    [Fact]
    public async Task Returns_404_when_there_is_no_such_product() =>
        (await app.Api.DeleteAsync($"/api/products/{Guid.CreateVersion7()}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");

    [Fact]
    public async Task Lets_one_of_a_concurrent_change_and_deletion_win()
    {
        for (var round = 0; round < 5; round++)
        {
            var product = await app.CreateAsync();
            var path = $"/api/products/{product.Id}";

            var change = app.Api.PatchAsync(path, """{"name": "Changed"}""", product.IfMatch);
            var deletion = app.Api.DeleteAsync(path, product.IfMatch);

            Assert.Contains(((await change).Status, (await deletion).Status), new[] { (200, 412), (412, 204), (404, 204) });
            Assert.Equal(2, await app.CountAsync("SELECT version FROM products WHERE id = $1", product.Id));
        }
    }
}
