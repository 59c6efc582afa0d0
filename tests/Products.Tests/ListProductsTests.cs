using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ListProductsTests(ProductsApp app)
{
    /// <summary>Other tests make products too; each test here lists its own category.</summary>
    private readonly string _category = $"c-{Guid.CreateVersion7()}";

    private async Task<List<Guid>> ListAsync(string query) =>
        [.. (await app.Api.GetAsync($"/api/products?category={_category}&{query}")).ShouldBe(200).Json["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>())];

    private async Task<Guid> CreateAsync(string name, string? description = null) => (await app.CreateAsync(product =>
    {
        product["name"] = name;
        product["description"] = description;
        product["category"] = _category;
    })).Id;

    [Fact]
    public async Task Lists_the_products_of_a_category_in_the_shape_of_one()
    {
        var product = await app.CreateAsync(p => p["category"] = _category);

        var list = (await app.Api.GetAsync($"/api/products?category={_category}")).ShouldBe(200);

        Assert.Equal($$"""{"items":[{{product.Body}}],"next":null}""", list.Body);
    }

    [Fact]
    public async Task Filters_by_sku_and_status()
    {
        var active = await CreateAsync("Active");
        var discontinued = await CreateAsync("Discontinued");
        (await app.Api.PatchAsync($"/api/products/{discontinued}", """{"status": "discontinued"}""", ("If-Match", "\"1\""))).ShouldBe(200);
        var sku = (string)(await app.Api.GetAsync($"/api/products/{active}")).Json["sku"]!;

        Assert.Equal([active], await ListAsync($"sku={sku}"));
        Assert.Empty(await ListAsync($"sku={sku.ToLowerInvariant()}"));
        Assert.Equal([active], await ListAsync("status=active"));
        Assert.Equal([discontinued], await ListAsync("status=discontinued"));
    }

    [Fact]
    public async Task Filters_by_price_and_currency()
    {
        var made = new List<Guid>();
        foreach (var (amount, currency) in new[] { (1.99m, "EUR"), (2m, "EUR"), (2m, "USD"), (3.5m, "EUR") })
        {
            made.Add((await app.CreateAsync(p =>
            {
                p["category"] = _category;
                p["price"]!["amount"] = amount;
                p["price"]!["currency"] = currency;
            })).Id);
        }

        Assert.Equal(made[1..], await ListAsync("minPrice=2"));
        Assert.Equal(made[..3], await ListAsync("maxPrice=2.0"));
        Assert.Equal([made[1]], await ListAsync("minPrice=2.00&maxPrice=2&currency=EUR"));
        Assert.Empty(await ListAsync("minPrice=4"));
    }

    [Fact]
    public async Task Filters_by_attributes()
    {
        var red = (await app.CreateAsync(p => (p["category"], p["attributes"]) = (_category, new JsonObject { ["colour"] = "red", ["size"] = "S" }))).Id;
        var blue = (await app.CreateAsync(p => (p["category"], p["attributes"]) = (_category, new JsonObject { ["colour"] = "blue", ["size"] = "S" }))).Id;
        var quoted = (await app.CreateAsync(p => (p["category"], p["attributes"]) = (_category, new JsonObject { ["5\" \\ '"] = "ä&=\"" }))).Id;
        await CreateAsync("None");

        Assert.Equal([red], await ListAsync("attribute.colour=red"));
        Assert.Equal([red, blue], await ListAsync("attribute.size=S"));
        Assert.Equal([blue], await ListAsync("attribute.size=S&attribute.colour=blue"));
        Assert.Empty(await ListAsync("attribute.colour=Red"));
        Assert.Empty(await ListAsync("attribute.colour=red&attribute.colour=blue"));
        Assert.Equal([quoted], await ListAsync($"{Uri.EscapeDataString("attribute.5\" \\ '")}={Uri.EscapeDataString("ä&=\"")}"));
    }

    [Fact]
    public async Task Walks_all_pages_without_repeating_or_missing_one()
    {
        var made = new List<Guid>();
        for (var i = 0; i < 7; i++)
        {
            made.Add(await CreateAsync($"Product {i}"));
        }

        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await app.Api.GetAsync($"/api/products?category={_category}&limit=3{(cursor is null ? "" : $"&cursor={cursor}")}")).ShouldBe(200).Json;
            seen.AddRange(page["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>()));
            cursor = (string?)page["next"];
            // A product made meanwhile comes at the end, and moves nothing.
            if (made.Count == 7)
            {
                made.Add(await CreateAsync("Late"));
            }
        }
        while (cursor is not null && seen.Count < 20);

        Assert.Equal(made, seen);
    }

    [Fact]
    public async Task Ends_with_a_full_page_when_there_is_no_more()
    {
        await CreateAsync("One");
        await CreateAsync("Two");

        var page = (await app.Api.GetAsync($"/api/products?category={_category}&limit=2")).ShouldBe(200).Json;

        Assert.Equal(2, page["items"]!.AsArray().Count);
        Assert.Null(page["next"]);
    }

    [Fact]
    public async Task Returns_the_existing_ones_of_the_given_ids()
    {
        var first = await CreateAsync("First");
        var second = await CreateAsync("Second");
        var deleted = await CreateAsync("Deleted");
        (await app.Api.DeleteAsync($"/api/products/{deleted}", ("If-Match", "\"1\""))).ShouldBe(204);

        var list = (await app.Api.GetAsync($"/api/products?ids={second},{first},{deleted},{Guid.CreateVersion7()},{first}")).ShouldBe(200).Json;

        Assert.Equal([first, second], list["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>()));
        Assert.Null(list["next"]);
    }

    [Fact]
    public async Task Returns_up_to_100_by_id_on_one_page()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 25; i++)
        {
            ids.Add(await CreateAsync($"Product {i}"));
        }

        var padded = ids.Concat(Enumerable.Range(0, 75).Select(_ => Guid.CreateVersion7())).ToList();

        Assert.Equal(ids, await ListAsync($"ids={string.Join(',', padded)}"));
        (await app.Api.GetAsync($"/api/products?ids={string.Join(',', padded)},{Guid.CreateVersion7()}")).ShouldBeMalformed("ids");
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("ids=0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a&limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("cursor=nonsense", "cursor")]
    [InlineData("cursor=", "cursor")]
    [InlineData("ids=", "ids")]
    [InlineData("ids=1,2", "ids")]
    [InlineData("status=deleted", "status")]
    [InlineData("status=0", "status")]
    [InlineData("q=%00", "q")]
    [InlineData("minPrice=cheap", "minPrice")]
    [InlineData("variantOf=1", "variantOf")]
    [InlineData("attribute.=red", "attribute")]
    [InlineData("attribute.colour=%00", "attribute")]
    [InlineData("attribute.a=1&attribute.a=2&attribute.a=3&attribute.a=4&attribute.a=5&attribute.a=6&attribute.a=7&attribute.a=8&attribute.a=9&attribute.a=0&attribute.a=1", "attribute")]
    [InlineData("q=chai&cursor=nonsense", "cursor")]
    public async Task Returns_400_for_what_it_cannot_read(string query, string path) =>
        (await app.Api.GetAsync($"/api/products?{query}")).ShouldBeMalformed(path);
}
