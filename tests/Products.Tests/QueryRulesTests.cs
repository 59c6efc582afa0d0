namespace OrderInventory.Products.Tests;

/// <summary>How every service reads queries, ids in paths and cursors, tested on this one.</summary>
[Collection(ProductsCollection.Name)]
public sealed class QueryRulesTests(ProductsApp app)
{
    private const string Id = "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003";

    [Theory]
    [InlineData("minPrice", "1,5")]
    [InlineData("minPrice", "5-")]
    [InlineData("minPrice", "+5")]
    [InlineData("minPrice", " 5")]
    [InlineData("minPrice", "5 ")]
    [InlineData("minPrice", "05")]
    [InlineData("minPrice", ".5")]
    [InlineData("minPrice", "(5)")]
    [InlineData("minPrice", "0x10")]
    [InlineData("minPrice", "NaN")]
    [InlineData("minPrice", "")]
    [InlineData("minPrice", "1e400")]
    [InlineData("maxPrice", "٣")]
    [InlineData("limit", "1.0")]
    [InlineData("limit", "+1")]
    [InlineData("limit", " 1")]
    [InlineData("limit", "1\n")]
    [InlineData("limit", "99999999999999999999")]
    [InlineData("limit", "")]
    [InlineData("status", "Active")]
    [InlineData("status", "0")]
    [InlineData("status", "deleted")]
    [InlineData("status", "")]
    [InlineData("currency", "EURO")]
    [InlineData("currency", "eur")]
    [InlineData("currency", "")]
    [InlineData("variantOf", "{01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}")]
    [InlineData("variantOf", "01939b7a4ce07a3e8a2b6f1f6b9c0003")]
    [InlineData("variantOf", " 01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003")]
    [InlineData("variantOf", "0x939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003")]
    [InlineData("variantOf", "")]
    [InlineData("ids", "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003, 01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003")]
    [InlineData("ids", "")]
    [InlineData("q", "a\0b")]
    [InlineData("sku", "a\0b")]
    [InlineData("staus", "active")]
    [InlineData("Status", "active")]
    [InlineData("_", "1732")]
    public async Task A_query_value_is_what_is_documented_or_400(string name, string value) =>
        (await app.Api.GetAsync($"/api/products?{name}={Uri.EscapeDataString(value)}")).ShouldBeMalformed(name);

    [Theory]
    [InlineData("minPrice=1.8e1&maxPrice=1.8E%2B1", 200)]
    [InlineData("minPrice=-0", 200)]
    [InlineData("status=active&status=active", 400)]
    [InlineData("limit=1&limit=2", 400)]
    [InlineData("status=active&Status=discontinued", 400)]
    [InlineData("q=M%FCller", 400)]
    [InlineData("q=M%C3%BCller", 200)]
    [InlineData("q=100%", 200)]
    [InlineData("attribute.colour=red&attribute.colour=blue", 200)]
    [InlineData("Attribute.colour=red", 400)]
    [InlineData("variantOf=01939B7A-4CE0-7A3E-8A2B-6F1F6B9C0003", 200)]
    [InlineData("", 200)]
    public async Task A_query_is_checked_as_a_whole(string query, int status) => (await app.Api.GetAsync($"/api/products?{query}")).ShouldBe(status);

    [Fact]
    public async Task A_price_in_a_query_is_compared_as_a_number()
    {
        var product = await app.CreateAsync(p => p["price"]!["amount"] = 4711.5m);

        Assert.Equal([product.Id], Ids(await app.Api.GetAsync($"/api/products?ids={product.Id}&minPrice=4.7115e3&maxPrice=4711.50")));
        Assert.Empty(Ids(await app.Api.GetAsync($"/api/products?ids={product.Id}&minPrice=47115e-1&maxPrice=4711")));
    }

    [Fact]
    public async Task An_unknown_parameter_is_400_with_the_known_ones()
    {
        var answer = (await app.Api.GetAsync("/api/products?staus=active")).ShouldBeMalformed("staus");

        Assert.Contains("status", (string?)answer.Json["errors"]!["staus"]![0], StringComparison.Ordinal);
        Assert.Contains("attribute.{name}", (string?)answer.Json["errors"]!["staus"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_parameter_is_400_outside_lists_too()
    {
        (await app.Api.GetAsync($"/api/products/{Id}?fields=name")).ShouldBeMalformed("fields");
        (await app.Api.DeleteAsync($"/api/products/{Id}?force=true")).ShouldBeMalformed("force");
        (await app.Api.PostAsync("/api/products?dryRun=true", ProductsApp.NewProduct().ToJsonString())).ShouldBeMalformed("dryRun");
        (await app.Api.PostAsync("/api/products/import?dryRun=true", "{}")).ShouldBe(415);
    }

    [Theory]
    [InlineData("{01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}")]
    [InlineData("01939b7a4ce07a3e8a2b6f1f6b9c0003")]
    [InlineData("%2001939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003")]
    [InlineData("(01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003)")]
    public async Task An_id_in_a_path_is_a_plain_uuid(string id)
    {
        var product = await app.CreateAsync();

        (await app.Api.GetAsync($"/api/products/{id.Replace(Id, product.Id.ToString(), StringComparison.Ordinal).Replace(Id.Replace("-", "", StringComparison.Ordinal), product.Id.ToString("N"), StringComparison.Ordinal)}"))
            .ShouldBeProblem(404, "not-found");
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AZOSngHOenqKK28fa5wAA!")]
    [InlineData("AZOSngHOenqKK28fa5wAA=")]
    [InlineData("AZOSngHOenqKK28fa5wAAw")]
    [InlineData("AZOSngHOenqKK28fa5wAAwAA")]
    [InlineData("AZOSngHO enqKK28fa5wAAwA")]
    [InlineData("ÄZOSngHOenqKK28fa5wAAwAA")]
    [InlineData("////////////////////////")]
    public async Task A_cursor_that_no_list_has_given_is_400(string cursor)
    {
        (await app.Api.GetAsync($"/api/products?cursor={Uri.EscapeDataString(cursor)}")).ShouldBeMalformed("cursor");
        (await app.Api.GetAsync($"/api/products?q=tea&cursor={Uri.EscapeDataString(cursor)}")).ShouldBeMalformed("cursor");
        (await app.Api.GetAsync($"/api/products/dead-letters?cursor={Uri.EscapeDataString(cursor)}")).ShouldBeMalformed("cursor");
    }

    [Fact]
    public async Task A_cursor_of_another_list_or_with_other_bits_is_400()
    {
        var name = $"Cursor{Guid.CreateVersion7():N}";
        await app.CreateAsync(p => p["name"] = name);
        await app.CreateAsync(p => p["name"] = name);
        var next = (string)(await app.Api.GetAsync("/api/products?limit=1")).Json["next"]!;
        var ranked = (string)(await app.Api.GetAsync($"/api/products?limit=1&q={name}")).Json["next"]!;

        (await app.Api.GetAsync($"/api/products?limit=1&cursor={next}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/products?limit=1&q={name}&cursor={ranked}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/products/dead-letters?cursor={next}")).ShouldBeMalformed("cursor");
        (await app.Api.GetAsync($"/api/products?cursor={ranked}")).ShouldBeMalformed("cursor");
        (await app.Api.GetAsync($"/api/products?q={name}&cursor={next}")).ShouldBeMalformed("cursor");
    }

    private static List<Guid> Ids(TestSupport.ApiResponse answer) => [.. answer.ShouldBe(200).Json["items"]!.AsArray().Select(item => (Guid)item!["id"]!)];
}
