using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class PatchProductTests(ProductsApp app)
{
    [Fact]
    public async Task Changes_what_is_there_removes_what_is_null_and_keeps_what_is_absent()
    {
        var product = await app.CreateAsync();

        var response = (await app.Api.PatchAsync(
            $"/api/products/{product.Id}", """{"name": "Chang", "description": null}""", product.IfMatch)).ShouldBe(200);

        Assert.Equal("\"2\"", response.ETag);
        Assert.Equal("Chang", (string?)response.Json["name"]);
        Assert.Null(response.Json["description"]);
        Assert.Equal("beverages", (string?)response.Json["category"]);
        Assert.Equal((string?)product.Json["sku"], (string?)response.Json["sku"]);
        Assert.Equal(response.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).Body);
    }

    [Fact]
    public async Task Changes_the_amount_alone()
    {
        var product = await app.CreateAsync();

        var response = (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"price": {"amount": 19.90}}""", product.IfMatch)).ShouldBe(200);

        Assert.Equal("""{"amount":19.90,"currency":"EUR"}""", response.Json["price"]!.ToJsonString());
    }

    [Fact]
    public async Task Sets_the_status_and_resets_it()
    {
        var product = await app.CreateAsync();

        var discontinued = (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"status": "discontinued"}""", product.IfMatch)).ShouldBe(200);
        Assert.Equal("discontinued", (string?)discontinued.Json["status"]);
        var active = (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"status": "active"}""", discontinued.IfMatch)).ShouldBe(200);
        Assert.Equal("active", (string?)active.Json["status"]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name": "Chai", "price": {}}""")]
    public async Task Keeps_the_version_when_nothing_changes(string patch)
    {
        var product = await app.CreateAsync();

        Assert.Equal(product.Body, (await app.Api.PatchAsync($"/api/products/{product.Id}", patch, product.IfMatch)).ShouldBe(200).Body);
    }

    [Fact]
    public async Task Accepts_application_json_too()
    {
        var product = await app.CreateAsync();

        (await app.Api.SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", """{"name": "Chang"}""", [product.IfMatch])).ShouldBe(200);
    }

    [Theory]
    [InlineData("""{"colour": "red"}""", "$.colour")]
    [InlineData("""{"colour": null}""", "$.colour")]
    [InlineData("""{"price": {"vat": 7}}""", "$.price.vat")]
    [InlineData("""{"id": "00000000-0000-0000-0000-000000000000"}""", "$.id")]
    [InlineData("""{"version": 7}""", "$.version")]
    [InlineData("""{"sku": null}""", "$.sku")]
    [InlineData("""{"name": ""}""", "$.name")]
    [InlineData("""{"name": 7}""", "$.name")]
    [InlineData("""{"name": {"first": "x"}}""", "$.name")]
    [InlineData("""{"name": "\u0000"}""", "$.name")]
    [InlineData("""{"name": "\ud800"}""", "$")]
    [InlineData("""{"\ud800": "x"}""", "$")]
    [InlineData("""{"name": "A", "name": "B"}""", "$")]
    [InlineData("""{"price": null}""", "$.price")]
    [InlineData("""{"price": {"currency": null}}""", "$.price.currency")]
    [InlineData("""{"price": {"amount": "18"}}""", "$.price.amount")]
    [InlineData("""{"price": {"amount": -1}}""", "$.price.amount")]
    [InlineData("""{"status": "deleted"}""", "$.status")]
    [InlineData("""{"status": 0}""", "$.status")]
    [InlineData("[]", "$")]
    [InlineData("null", "$")]
    [InlineData("\"name\"", "$")]
    [InlineData("{", "$")]
    [InlineData("", "$")]
    public async Task Returns_400_with_the_path_of_what_is_wrong(string patch, string path)
    {
        var product = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/products/{product.Id}", patch, product.IfMatch)).ShouldBeMalformed(path);
    }

    [Fact]
    public async Task Returns_415_for_another_content_type()
    {
        var product = await app.CreateAsync();

        (await app.Api.SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", "[]", [product.IfMatch], "application/json-patch+json"))
            .ShouldBeProblem(415, "unsupported-media-type");
    }

    [Fact]
    public async Task Returns_428_without_if_match_and_412_when_it_is_another()
    {
        var product = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/products/{product.Id}", "{}")).ShouldBeProblem(428, "precondition-required");
        (await app.Api.PatchAsync($"/api/products/{product.Id}", "{}", ("If-Match", "\"9\""))).ShouldBeProblem(412, "precondition-failed");
    }

    [Fact]
    public async Task Returns_404_when_there_is_no_such_product() =>
        (await app.Api.PatchAsync($"/api/products/{Guid.CreateVersion7()}", "{}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");

    [Fact]
    public async Task Returns_409_when_another_product_has_the_sku()
    {
        var other = await app.CreateAsync();
        var product = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/products/{product.Id}", $$"""{"sku": "{{other.Json["sku"]}}"}""", product.IfMatch)).ShouldBeProblem(409, "sku-taken");
    }

    [Fact]
    public async Task A_former_sku_is_free_and_may_be_given_to_another_product()
    {
        var product = await app.CreateAsync();
        var former = (string)product.Json["sku"]!;
        (await app.Api.PatchAsync($"/api/products/{product.Id}", $$"""{"sku": "{{former}}-B"}""", product.IfMatch)).ShouldBe(200);

        (await app.Api.PostAsync("/api/products", ProductsApp.NewProduct(former).ToJsonString())).ShouldBe(201);
    }
}
