using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class SearchProductsTests(ProductsApp app)
{
    /// <summary>Other tests make products too; each test here searches its own category, whose name is in no query.</summary>
    private readonly string _category = $"c-{Guid.CreateVersion7()}";

    private async Task<List<Guid>> SearchAsync(string q, string more = "") =>
        [.. (await app.Api.GetAsync($"/api/products?category={_category}&q={Uri.EscapeDataString(q)}{more}")).ShouldBe(200).Json["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>())];

    private async Task<Guid> CreateAsync(string name, string? description = null, string? sku = null, JsonObject? attributes = null) => (await app.CreateAsync(product =>
    {
        product["name"] = name;
        product["description"] = description;
        product["category"] = _category;
        product["attributes"] = attributes;
        product["sku"] = sku ?? product["sku"]!.GetValue<string>();
    })).Id;

    [Fact]
    public async Task Finds_words_anywhere_in_any_case()
    {
        var name = await CreateAsync("Chai");
        var description = await CreateAsync("Chang", "Brewed with CHAI spice");
        var value = await CreateAsync("Cup", attributes: new() { ["goes with"] = "chai, coffee" });
        var key = await CreateAsync("Jug", attributes: new() { ["chai"] = "yes" });
        var sku = await CreateAsync("Pot", sku: $"CHAI-{Guid.CreateVersion7()}");
        await CreateAsync("Coffee");

        // Name and SKU first; the oldest first within each.
        Assert.Equal([name, sku, description, value, key], await SearchAsync("cHaI"));
        Assert.Equal([description], await SearchAsync("spice brewed"));
        Assert.Equal([sku], await SearchAsync("chai pot"));
        Assert.Empty(await SearchAsync("chai tea"));
        Assert.Equal(6, (await SearchAsync("  ")).Count);
    }

    [Fact]
    public async Task Finds_a_category()
    {
        var product = (await app.CreateAsync(p => p["category"] = $"Beverages {_category[2..]}")).Id;

        var list = (await app.Api.GetAsync($"/api/products?q=beverages%20{_category[2..]}")).ShouldBe(200);

        Assert.Equal(product, list.Json["items"]!.AsArray().Single()!["id"]!.GetValue<Guid>());
    }

    [Theory]
    [InlineData("Grüner Tee", "grü")]
    [InlineData("ЗЕЛЁНЫЙ чай", "зелён")]
    [InlineData("緑茶 500g", "緑")]
    [InlineData("the and of", "the")]
    [InlineData("running shoes", "running sh")]
    [InlineData("C:\\temp", "c temp")]
    [InlineData("O'Neill & Sons", "o'ne")]
    [InlineData("rock-n-roll", "rock n r")]
    [InlineData("3.5mm jack", "3.5m")]
    [InlineData("user@example.com/path?x=1", "example.com pa")]
    public async Task Takes_the_last_word_as_a_prefix_in_every_language(string name, string typed)
    {
        var product = await CreateAsync(name);

        Assert.Equal([product], await SearchAsync(typed));
    }

    [Fact]
    public async Task Finds_a_sku_by_its_first_letters_with_any_separator()
    {
        var number = Random.Shared.NextInt64(1_000_000_000, long.MaxValue);
        var product = await CreateAsync("Chai", sku: $"TEA-{number}/1e5");

        foreach (var typed in new[] { "te", "TEA-", $"tea-{number / 100}", $"tea {number}", $"TEA-{number}/1E", $"TEA-{number}/1e5" })
        {
            Assert.Equal([product], await SearchAsync(typed));
        }
    }

    [Fact]
    public async Task Ranks_the_sku_itself_first()
    {
        var word = $"T{Guid.CreateVersion7():N}";
        var name = await CreateAsync($"{word} refill");
        var longer = await CreateAsync("Longer", sku: $"{word}-XL");
        var exact = await CreateAsync("Exact", sku: word);

        Assert.Equal([exact, name, longer], await SearchAsync(word));
        Assert.Equal([exact, name, longer], await SearchAsync(word.ToLowerInvariant()));
        Assert.Equal([longer], await SearchAsync($"{word}-XL"));
    }

    [Fact]
    public async Task Finds_a_sku_without_any_letter()
    {
        var sku = new string([.. Guid.CreateVersion7().ToString("N").Select(c => "!#$%&*+-./:;<=>"["0123456789abcdef".IndexOf(c) % 15])]);
        var product = await CreateAsync("Signs", sku: sku);

        Assert.Equal([product], await SearchAsync(sku));
        Assert.Empty(await SearchAsync("&!"));
    }

    [Fact]
    public async Task Walks_all_pages_in_the_order_of_rank_without_repeating_or_missing_one()
    {
        var word = $"w{Guid.CreateVersion7():N}";
        var described = new List<Guid>();
        var named = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            described.Add(await CreateAsync($"Other {i}", description: word));
            named.Add(await CreateAsync($"{word} {i}"));
        }

        var exact = await CreateAsync("Exact", sku: word);
        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await app.Api.GetAsync($"/api/products?q={word}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).ShouldBe(200).Json;
            seen.AddRange(page["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>()));
            cursor = (string?)page["next"];
            // A product made meanwhile, with a rank on a page already read, moves nothing.
            await CreateAsync("Late", sku: $"{word}-{seen.Count}");
        }
        while (cursor is not null && seen.Count < 30);

        Assert.Equal([exact, .. named, .. described], seen.Where(id => id == exact || named.Contains(id) || described.Contains(id)));
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact]
    public async Task Combines_with_filters()
    {
        var red = await CreateAsync("Shirt", attributes: new() { ["colour"] = "red" });
        await CreateAsync("Shirt", attributes: new() { ["colour"] = "blue" });
        (await app.Api.PatchAsync($"/api/products/{red}", """{"price": {"amount": 5}}""", ("If-Match", "\"1\""))).ShouldBe(200);

        Assert.Equal([red], await SearchAsync("shirt", "&attribute.colour=red"));
        Assert.Equal([red], await SearchAsync("shirt", "&maxPrice=5"));
        Assert.Equal([red], await SearchAsync("shirt", $"&ids={red}"));
        Assert.Empty(await SearchAsync("shirt", "&status=discontinued"));
    }

    [Fact]
    public async Task Sees_a_change_and_a_deletion_immediately()
    {
        var product = await CreateAsync("Before");
        (await app.Api.PatchAsync($"/api/products/{product}", """{"name": "After"}""", ("If-Match", "\"1\""))).ShouldBe(200);

        Assert.Empty(await SearchAsync("before"));
        Assert.Equal([product], await SearchAsync("after"));
        (await app.Api.DeleteAsync($"/api/products/{product}", ("If-Match", "\"2\""))).ShouldBe(204);
        Assert.Empty(await SearchAsync("after"));
    }

    [Theory]
    [InlineData("'")]
    [InlineData("''")]
    [InlineData("'; DROP TABLE products; --")]
    [InlineData("a & | ! <-> b")]
    [InlineData(":*")]
    [InlineData("a:*ABCD")]
    [InlineData("(((")]
    [InlineData("\\")]
    [InlineData("a\\")]
    [InlineData("\" or \"")]
    [InlineData("%_%")]
    [InlineData("\u201cquoted\u201d \u2014 \u2019")]
    [InlineData("\u200b\ufeff\u00ad")]
    [InlineData("\U0001F600 \U0001F1E9\U0001F1EA")]
    [InlineData("e\u0301\u0327")]
    [InlineData("<tag attr='x'>text</tag> &amp; http://a.b/c?d=e")]
    [InlineData("1e400 -1 +2.5 0x1F 1.2.3")]
    [InlineData("\u0001\t\r\n\u0085")]
    public async Task Answers_any_text(string q) =>
        (await app.Api.GetAsync($"/api/products?q={Uri.EscapeDataString(q)}")).ShouldBe(200);

    [Fact]
    public async Task Takes_texts_up_to_200_characters_and_no_longer()
    {
        (await app.Api.GetAsync($"/api/products?q={new string('x', 200)}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/products?q={string.Concat(Enumerable.Repeat("a ", 100))}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/products?q={new string('x', 201)}")).ShouldBeMalformed("q");
    }

    [Fact]
    public async Task Is_found_by_an_index()
    {
        await using var connection = await app.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var off = new Npgsql.NpgsqlCommand("SET LOCAL enable_seqscan = off", connection, transaction);
        await off.ExecuteNonQueryAsync();
        foreach (var (condition, index) in new[]
        {
            ("search @@ to_tsquery('simple', '''cha'':*')", "ix_products_search"),
            ("""attributes @> '{"colour": "red"}'""", "ix_products_attributes"),
            ("variant_of = '00000000-0000-0000-0000-000000000000'", "ix_products_variant_of"),
        })
        {
            await using var explain = new Npgsql.NpgsqlCommand($"EXPLAIN (FORMAT JSON) SELECT id FROM products WHERE {condition}", connection, transaction);
            Assert.Contains(index, (string)(await explain.ExecuteScalarAsync())!, StringComparison.Ordinal);
        }
    }
}
