using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ServiceTests(ProductsApp app)
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task Is_healthy(string path) => (await app.Api.GetAsync(path)).ShouldBe(200);

    [Fact]
    public async Task Has_no_dead_letters() =>
        Assert.Equal("""{"items":[],"next":null}""", (await app.Api.GetAsync("/api/products/dead-letters")).ShouldBe(200).Body);

    [Fact]
    public async Task Returns_405_for_a_method_that_a_resource_does_not_have() =>
        (await app.Api.DeleteAsync("/api/products")).ShouldBeProblem(405, "method-not-allowed");

    [Theory]
    [InlineData("/api/products", "post", "201 400 401 403 404 408 409 413 415 422 429 503")]
    [InlineData("/api/products", "get", "200 400 401 403 429 503")]
    [InlineData("/api/products/{id}", "get", "200 304 400 401 403 404 429 503")]
    [InlineData("/api/products/{id}", "put", "200 400 401 403 404 408 409 412 413 415 422 428 429 503")]
    [InlineData("/api/products/{id}", "patch", "200 400 401 403 404 408 409 412 413 415 422 428 429 503")]
    [InlineData("/api/products/{id}", "delete", "204 400 401 403 404 409 412 428 429 503")]
    [InlineData("/api/products/import", "post", "200 400 401 403 408 413 415 429 503")]
    [InlineData("/api/products/export", "get", "200 400 401 403 406 429 503")]
    public async Task Describes_each_status_in_the_openapi_document(string path, string method, string statuses)
    {
        var document = (await app.Api.GetAsync("/openapi/v1.json")).ShouldBe(200).Json;

        var operation = document["paths"]![path]![method]!;
        Assert.Equal(statuses, string.Join(' ', operation["responses"]!.AsObject().Select(r => r.Key).Order(StringComparer.Ordinal)));
        Assert.NotEmpty((string)operation["summary"]!);
    }

    [Fact]
    public async Task Describes_patches_without_required_members_and_every_slice_by_its_name()
    {
        var schemas = (await app.Api.GetAsync("/openapi/v1.json")).ShouldBe(200).Json["components"]!["schemas"]!;

        Assert.Null(schemas["PatchProductDocument"]!["required"]);
        Assert.Equal(["sku", "name", "price"], schemas["CreateProductRequest"]!["required"]!.AsArray().Select(n => (string)n!));
        Assert.NotNull(schemas["UpdateProductRequest"]);
        Assert.Equal("string", (string?)schemas["CreateProductRequest"]!["properties"]!["sku"]!["type"]);
    }

    [Fact]
    public async Task Returns_503_with_retry_after_and_is_not_ready_while_its_database_is_down()
    {
        var (other, database) = await app.StartAloneAsync();
        await using var _ = other;
        (await other.Api.GetAsync("/api/products")).ShouldBe(200);
        await DatabaseSwitch.OffAsync(database);

        var read = (await other.Api.GetAsync("/api/products")).ShouldBeProblem(503, "dependency-unavailable");
        Assert.NotNull(read.Headers.RetryAfter);
        (await other.Api.GetAsync($"/api/products/{Guid.CreateVersion7()}")).ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.PostAsync("/api/products", ProductsApp.NewProduct().ToJsonString())).ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.PostAsync("/api/products", ProductsApp.NewProduct().ToJsonString(), ("Idempotency-Key", "k"))).ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.GetAsync("/health")).ShouldBe(503);
        (await other.Api.GetAsync("/alive")).ShouldBe(200);

        await DatabaseSwitch.OnAsync(database);
        await Eventually.TrueAsync(async () => (await other.Api.GetAsync("/health")).Status == 200, TimeSpan.FromSeconds(20), "ready again");
        (await other.Api.GetAsync("/api/products")).ShouldBe(200);
    }
}
