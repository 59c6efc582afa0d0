using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class UpdateProductTests(ProductsApp app)
{
    [Fact]
    public async Task Replaces_everything_but_the_status()
    {
        var product = await app.CreateAsync();
        var discontinued = (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"status": "discontinued"}""", product.IfMatch)).ShouldBe(200);
        var sku = ProductsApp.NewSku();

        var response = (await app.Api.PutAsync(
            $"/api/products/{product.Id}", $$$"""{"sku": "{{{sku}}}", "name": "New", "price": {"amount": 2.50, "currency": "USD"}}""", discontinued.IfMatch)).ShouldBe(200);

        Assert.Equal("\"3\"", response.ETag);
        Assert.Equal(3, (int)response.Json["version"]!);
        Assert.Equal("discontinued", (string?)response.Json["status"]);
        Assert.Equal(sku, (string?)response.Json["sku"]);
        Assert.Null(response.Json["description"]);
        Assert.Null(response.Json["category"]);
        Assert.Equal("""{"amount":2.50,"currency":"USD"}""", response.Json["price"]!.ToJsonString());
        Assert.Equal((string?)product.Json["createdAt"], (string?)response.Json["createdAt"]);
        Assert.Equal(response.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).Body);
    }

    [Fact]
    public async Task Keeps_the_version_when_nothing_changes()
    {
        var product = await app.CreateAsync();
        var same = ProductsApp.NewProduct((string)product.Json["sku"]!).ToJsonString();

        var response = (await app.Api.PutAsync($"/api/products/{product.Id}", same, product.IfMatch)).ShouldBe(200);

        Assert.Equal(product.Body, response.Body);
    }

    [Fact]
    public async Task Returns_428_without_if_match()
    {
        var product = await app.CreateAsync();

        (await app.Api.PutAsync($"/api/products/{product.Id}", ProductsApp.NewProduct().ToJsonString())).ShouldBeProblem(428, "precondition-required");
    }

    [Theory]
    [InlineData("\"2\"")]
    [InlineData("W/\"1\"")]
    [InlineData("1")]
    public async Task Returns_412_with_the_current_version_when_if_match_is_another(string ifMatch)
    {
        var product = await app.CreateAsync();

        var response = await app.Api.PutAsync($"/api/products/{product.Id}", ProductsApp.NewProduct().ToJsonString(), ("If-Match", ifMatch));

        response.ShouldBeProblem(412, "precondition-failed");
        Assert.Equal(1, (int)response.Json["version"]!);
    }

    [Fact]
    public async Task Returns_404_when_there_is_no_such_product() =>
        (await app.Api.PutAsync($"/api/products/{Guid.CreateVersion7()}", ProductsApp.NewProduct().ToJsonString(), ("If-Match", "*"))).ShouldBeProblem(404, "not-found");

    [Fact]
    public async Task Returns_409_when_another_product_has_the_sku()
    {
        var other = await app.CreateAsync();
        var product = await app.CreateAsync();

        (await app.Api.PutAsync($"/api/products/{product.Id}", ProductsApp.NewProduct((string)other.Json["sku"]!).ToJsonString(), product.IfMatch))
            .ShouldBeProblem(409, "sku-taken");
    }

    [Fact]
    public async Task Returns_400_for_a_status()
    {
        var product = await app.CreateAsync();
        var body = ProductsApp.NewProduct();
        body["status"] = "discontinued";

        (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), product.IfMatch)).ShouldBeMalformed("$.status");
    }

    [Fact]
    public async Task Lets_one_of_20_concurrent_changes_win()
    {
        var product = await app.CreateAsync();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            app.Api.PutAsync($"/api/products/{product.Id}", ProductsApp.NewProduct().ToJsonString(), product.IfMatch)));

        var winner = Assert.Single(responses, r => r.Status == 200);
        Assert.All(responses.Where(r => r.Status != 200), r => Assert.Equal(2, (int)r.ShouldBeProblem(412, "precondition-failed").Json["version"]!));
        Assert.Equal(winner.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).Body);
    }
}
