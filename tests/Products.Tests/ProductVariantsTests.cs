using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ProductVariantsTests(ProductsApp app)
{
    private Task<ApiResponse> CreateVariantAsync(Guid parent) => app.CreateAsync(p => p["variantOf"] = parent);

    private Task<ApiResponse> SetAsync(ApiResponse product, Guid? parent) => app.Api.PatchAsync(
        $"/api/products/{product.Id}", $$"""{"variantOf": {{(parent is null ? "null" : $"\"{parent}\"")}}}""", ("If-Match", "*"));

    private static void ShouldBeInvalid(ApiResponse response)
    {
        response.ShouldBeProblem(422, "invalid-variant");
        Assert.Equal("$.variantOf", response.Json["errors"]!.AsObject().Single().Key);
    }

    [Fact]
    public async Task Name_their_product_and_are_listed_by_it()
    {
        var shirt = await app.CreateAsync();
        var small = await CreateVariantAsync(shirt.Id);
        var large = await CreateVariantAsync(shirt.Id);

        Assert.Equal(shirt.Id, small.Json["variantOf"]!.GetValue<Guid>());
        Assert.Equal($$"""{"items":[{{small.Body}},{{large.Body}}],"next":null}""", (await app.Api.GetAsync($"/api/products?variantOf={shirt.Id}")).ShouldBe(200).Body);
        Assert.Equal("""{"items":[],"next":null}""", (await app.Api.GetAsync($"/api/products?variantOf={small.Id}")).ShouldBe(200).Body);
    }

    [Fact]
    public async Task Are_set_and_unset_by_put_and_patch()
    {
        var parent = await app.CreateAsync();
        var product = await app.CreateAsync();

        var variant = (await SetAsync(product, parent.Id)).ShouldBe(200);
        Assert.Equal((parent.Id, 2L), (variant.Json["variantOf"]!.GetValue<Guid>(), variant.Json["version"]!.GetValue<long>()));
        var body = ProductsApp.NewProduct((string)product.Json["sku"]!);
        var none = (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), variant.IfMatch)).ShouldBe(200);
        Assert.Null(none.Json["variantOf"]);
        body["variantOf"] = parent.Id;
        var again = (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), none.IfMatch)).ShouldBe(200);
        Assert.Equal(again.Body, (await SetAsync(product, parent.Id)).ShouldBe(200).Body);
        Assert.Null((await SetAsync(product, null)).ShouldBe(200).Json["variantOf"]);
    }

    [Fact]
    public async Task Return_422_when_there_is_no_such_product()
    {
        var deleted = await app.CreateAsync();
        (await app.Api.DeleteAsync($"/api/products/{deleted.Id}", deleted.IfMatch)).ShouldBe(204);
        var product = await app.CreateAsync();

        foreach (var parent in new[] { Guid.CreateVersion7(), deleted.Id })
        {
            var body = ProductsApp.NewProduct();
            body["variantOf"] = parent;
            ShouldBeInvalid(await app.Api.PostAsync("/api/products", body.ToJsonString()));
            ShouldBeInvalid(await SetAsync(product, parent));
        }

        var malformed = ProductsApp.NewProduct();
        malformed["variantOf"] = "TEA-001";
        (await app.Api.PostAsync("/api/products", malformed.ToJsonString())).ShouldBeMalformed("$.variantOf");
    }

    [Fact]
    public async Task Have_one_level_only()
    {
        var parent = await app.CreateAsync();
        var variant = await CreateVariantAsync(parent.Id);
        var other = await app.CreateAsync();

        ShouldBeInvalid(await SetAsync(other, variant.Id));
        ShouldBeInvalid(await SetAsync(parent, other.Id));
        ShouldBeInvalid(await SetAsync(parent, parent.Id));
        var body = ProductsApp.NewProduct();
        body["variantOf"] = variant.Id;
        ShouldBeInvalid(await app.Api.PostAsync("/api/products", body.ToJsonString()));
        (await SetAsync(variant, null)).ShouldBe(200);
        (await SetAsync(parent, other.Id)).ShouldBe(200);
    }

    [Fact]
    public async Task Leave_no_key_when_they_are_refused()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var body = ProductsApp.NewProduct();
        body["variantOf"] = Guid.CreateVersion7();
        ShouldBeInvalid(await app.Api.PostAsync("/api/products", body.ToJsonString(), key));
        body["variantOf"] = (await app.CreateAsync()).Id;

        var made = (await app.Api.PostAsync("/api/products", body.ToJsonString(), key)).ShouldBe(201);

        Assert.Equal(made.Body, (await app.Api.PostAsync("/api/products", body.ToJsonString(), key)).ShouldBe(201).Body);
    }

    [Fact]
    public async Task Keep_their_product_from_being_deleted()
    {
        var parent = await app.CreateAsync();
        var variant = await CreateVariantAsync(parent.Id);

        (await app.Api.DeleteAsync($"/api/products/{parent.Id}", parent.IfMatch)).ShouldBeProblem(409, "product-has-variants");
        (await app.Api.DeleteAsync($"/api/products/{variant.Id}", variant.IfMatch)).ShouldBe(204);
        (await app.Api.DeleteAsync($"/api/products/{parent.Id}", parent.IfMatch)).ShouldBe(204);
    }

    [Fact]
    public async Task Keep_one_level_when_two_concurrent_requests_would_make_two()
    {
        for (var round = 0; round < 10; round++)
        {
            var (a, b, c) = (await app.CreateAsync(), await app.CreateAsync(), await app.CreateAsync());

            var responses = await Task.WhenAll(SetAsync(a, b.Id), SetAsync(b, c.Id), SetAsync(b, a.Id), app.Api.DeleteAsync($"/api/products/{c.Id}", c.IfMatch));

            Assert.All(responses, r => Assert.Contains(r.Status, new[] { 200, 204, 409, 412, 422 }));
            Assert.Equal(0, await app.CountAsync(
                """
                SELECT count(*) FROM products v JOIN products p ON p.id = v.variant_of
                WHERE v.status <> 'deleted' AND (p.variant_of IS NOT NULL OR p.status = 'deleted') AND v.id = ANY($1)
                """, new[] { a.Id, b.Id, c.Id }));
        }
    }
}
