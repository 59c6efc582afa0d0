using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ProductAttributesTests(ProductsApp app)
{
    private static JsonObject RedAndSmall => new() { ["size"] = "S", ["colour"] = "red" };

    [Fact]
    public async Task Are_kept_and_answered_in_the_order_of_their_names()
    {
        var product = await app.CreateAsync(p => p["attributes"] = new JsonObject { ["size"] = "S", ["Ärmel"] = "lang", ["colour"] = "", ["a very long name"] = "\"x\"" });

        Assert.Equal(["a very long name", "colour", "size", "Ärmel"], product.Json["attributes"]!.AsObject().Select(a => a.Key));
        Assert.Equal("\"x\"", (string?)product.Json["attributes"]!["a very long name"]);
        Assert.Equal(product.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).Body);
        // Also from the cache.
        Assert.Equal(product.Body, (await app.Api.GetAsync($"/api/products/{product.Id}")).Body);
        Assert.Equal($$"""{"items":[{{product.Body}}],"next":null}""", (await app.Api.GetAsync($"/api/products?ids={product.Id}")).Body);
    }

    [Fact]
    public async Task Are_replaced_by_put_and_removed_when_left_out()
    {
        var product = await app.CreateAsync(p => p["attributes"] = RedAndSmall);
        var body = ProductsApp.NewProduct((string)product.Json["sku"]!);
        body["attributes"] = new JsonObject { ["colour"] = "red", ["size"] = "S" };
        Assert.Equal(product.Body, (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), product.IfMatch)).ShouldBe(200).Body);

        body["attributes"] = new JsonObject { ["colour"] = "blue" };
        var blue = (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), product.IfMatch)).ShouldBe(200);
        Assert.Equal("""{"colour":"blue"}""", blue.Json["attributes"]!.ToJsonString());
        Assert.Equal("\"2\"", blue.ETag);

        body.Remove("attributes");
        var none = (await app.Api.PutAsync($"/api/products/{product.Id}", body.ToJsonString(), blue.IfMatch)).ShouldBe(200);
        Assert.Equal("{}", none.Json["attributes"]!.ToJsonString());
    }

    [Fact]
    public async Task Are_patched_one_by_one()
    {
        var product = await app.CreateAsync(p => p["attributes"] = RedAndSmall);
        var path = $"/api/products/{product.Id}";

        var patched = (await app.Api.PatchAsync(path, """{"attributes": {"size": null, "colour": "blue", "material": "wool", "gone": null}}""", product.IfMatch)).ShouldBe(200);
        Assert.Equal("""{"colour":"blue","material":"wool"}""", patched.Json["attributes"]!.ToJsonString());
        Assert.Equal(patched.Body, (await app.Api.PatchAsync(path, """{"attributes": {"gone": null}}""", patched.IfMatch)).ShouldBe(200).Body);
        var none = (await app.Api.PatchAsync(path, """{"attributes": null}""", patched.IfMatch)).ShouldBe(200);
        Assert.Equal("{}", none.Json["attributes"]!.ToJsonString());
        var first = (await app.Api.PatchAsync(path, """{"attributes": {"colour": "red"}}""", none.IfMatch)).ShouldBe(200);
        Assert.Equal("""{"colour":"red"}""", first.Json["attributes"]!.ToJsonString());
    }

    [Fact]
    public async Task Do_not_change_the_event_but_its_version()
    {
        var product = await app.CreateAsync(p => p["attributes"] = RedAndSmall);
        (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"attributes": {"size": "M"}}""", product.IfMatch)).ShouldBe(200);

        var events = await app.ReadEventsAsync(product.Id, 2);

        Assert.Equal(
            $$"""{"productId":"{{product.Id}}","version":2,"sku":"{{product.Json["sku"]}}","name":"Chai","price":{"amount":18.00,"currency":"EUR"},"status":"active"}""",
            events[1].Value);
    }

    [Fact]
    public async Task Make_the_same_request_in_any_order()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var product = ProductsApp.NewProduct();
        product["attributes"] = RedAndSmall;
        var first = (await app.Api.PostAsync("/api/products", product.ToJsonString(), key)).ShouldBe(201);
        product["attributes"] = new JsonObject { ["colour"] = "red", ["size"] = "S" };

        Assert.Equal(first.Body, (await app.Api.PostAsync("/api/products", product.ToJsonString(), key)).ShouldBe(201).Body);
    }

    [Theory]
    [InlineData("""{"colour": null}""", "$.attributes.colour")]
    [InlineData("""{"colour": 7}""", "$.attributes.colour")]
    [InlineData("""{"colour": {"a": "b"}}""", "$.attributes.colour")]
    [InlineData("""{"": "x"}""", "$.attributes.")]
    [InlineData("""{"a b": "\u0001"}""", "$.attributes['a b']")]
    [InlineData("""{"a": "x", "a": "y"}""", "$.attributes.a")]
    [InlineData("""{"a": "\u0000"}""", "$.attributes.a")]
    [InlineData("""{"\u0000": "a"}""", "$.attributes")]
    [InlineData("""{"\ud800": "a"}""", "$.attributes")]
    [InlineData("[]", "$.attributes")]
    [InlineData("\"red\"", "$.attributes")]
    public async Task Return_400_with_the_path_of_what_is_wrong(string attributes, string path)
    {
        var body = ProductsApp.NewProduct().ToJsonString();

        var response = await app.Api.PostAsync("/api/products", $$"""{{body[..^1]}},"attributes":{{attributes}}}""");

        response.ShouldBeProblem(400, "malformed-request");
        Assert.StartsWith(path, response.Json["errors"]!.AsObject().Single().Key, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"colour": 7}""")]
    [InlineData("""{"colour": {"a": null}}""")]
    [InlineData("""{"new": {"a": "b"}}""")]
    [InlineData("""{"": "x"}""")]
    public async Task Return_400_for_a_patch_that_makes_no_attributes(string attributes)
    {
        var product = await app.CreateAsync(p => p["attributes"] = RedAndSmall);

        (await app.Api.PatchAsync($"/api/products/{product.Id}", $$"""{"attributes": {{attributes}}}""", product.IfMatch)).ShouldBeProblem(400, "malformed-request");
    }

    [Fact]
    public async Task Are_at_most_50_of_64_and_256_characters()
    {
        var product = ProductsApp.NewProduct();
        var attributes = new JsonObject { [new string('n', 64)] = new string('v', 256) };
        for (var i = 1; i < 50; i++)
        {
            attributes[$"name {i}"] = "value";
        }

        product["attributes"] = attributes;
        (await app.Api.PostAsync("/api/products", product.ToJsonString())).ShouldBe(201);
        product["sku"] = ProductsApp.NewSku();
        attributes["one more"] = "value";
        (await app.Api.PostAsync("/api/products", product.ToJsonString())).ShouldBeMalformed("$.attributes");
        product["attributes"] = new JsonObject { [new string('n', 65)] = "" };
        (await app.Api.PostAsync("/api/products", product.ToJsonString())).ShouldBeMalformed($"$.attributes.{new string('n', 65)}");
        product["attributes"] = new JsonObject { ["n"] = new string('v', 257) };
        (await app.Api.PostAsync("/api/products", product.ToJsonString())).ShouldBeMalformed("$.attributes.n");
    }
}
