using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using OrderInventory.ServiceDefaults.Text;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Text and money in a catalogue: equal-looking texts are equal, invisible text is no key, and an amount fits its currency.</summary>
public sealed class TextTests(ProductsApp app) : IClassFixture<ProductsApp>
{
    private const string Path = "/api/products";

    /// <summary>PostgreSQL normalises by its own tables: compares every code point, and each mark after letters with which it may combine.</summary>
    [Fact]
    public async Task Normalises_as_PostgreSQL_does()
    {
        var runes = Enumerable.Range(1, 0x2FFFF).Where(Rune.IsValid).Select(value => new Rune(value).ToString());
        var marks = Enumerable.Range(0x300, 0x70).Concat([0x5B4, 0x64B, 0x654, 0x93C, 0x1161, 0x11A8, 0x3099, 0x302A, 0x1D16E]).Select(value => new Rune(value).ToString()).ToList();
        var pairs = "aeoAEOsßΑωيकカ가ᄀ각".SelectMany(letter => marks, (letter, mark) => letter + mark).ToList();
        var random = new Random(20261128);
        var long_ = Enumerable.Range(0, 2000).Select(_ => string.Concat(Enumerable.Range(0, 8).Select(_ => random.Next(3) == 0 ? pairs[random.Next(pairs.Count)] : marks[random.Next(marks.Count)])));
        string[] texts = [.. runes, .. pairs, .. long_];

        await using var command = app.Database.CreateCommand("SELECT normalize(t, NFC) FROM unnest($1) WITH ORDINALITY AS u (t, o) ORDER BY o");
        command.Parameters.Add(new() { Value = texts });
        await using var reader = await command.ExecuteReaderAsync();
        var wrong = new List<string>();
        foreach (var text in texts)
        {
            await reader.ReadAsync();
            if (reader.GetString(0) != Nfc.Normalize(text))
            {
                wrong.Add(string.Join('+', text.EnumerateRunes().Select(rune => rune.Value.ToString("X4", null))));
            }
        }

        // PostgreSQL's tables may be newer and have characters that Unicode 14 does not have.
        Assert.True(wrong.TrueForAll(text => text is ['1', _, _, _, _, ..]) && wrong.Count < 50, string.Join(' ', wrong));
    }

    [Theory]
    [InlineData("sku")]
    [InlineData("category")]
    public async Task Refuses_invisible_characters_in_a_key(string member)
    {
        foreach (var character in new[] { "\u200B", "\u200D", "\u00AD", "\uFEFF", "\u202E", "\u2066", "\u061C", "\u180E", "\uFE0F", "\u034F", "\u3164", "\u115F", "\U000E0041", "\u0007", "\u0085", "\u2028", "\uE000" })
        {
            var product = ProductsApp.NewProduct();
            product[member] = $"TEA{character}-9";
            (await app.Api.PostAsync(Path, product.ToJsonString())).ShouldBeMalformed($"$.{member}");
        }

        var attribute = ProductsApp.NewProduct();
        attribute["attributes"] = new JsonObject { ["col\u200Bour"] = "red" };
        (await app.Api.PostAsync(Path, attribute.ToJsonString())).ShouldBe(400);
    }

    [Theory]
    [InlineData("\u200B")]
    [InlineData("\u200B \u2060")]
    [InlineData("\u3164")]
    [InlineData("\u2800")]
    [InlineData("\u0301")]
    [InlineData("a\u0000")]
    [InlineData("a\u001Bb")]
    [InlineData("a\nb")]
    public async Task Refuses_a_name_without_visible_characters_or_with_control_characters(string name)
    {
        var product = ProductsApp.NewProduct();
        product["name"] = name;
        (await app.Api.PostAsync(Path, product.ToJsonString())).ShouldBe(400);
        var made = await app.CreateAsync();
        var patch = new JsonObject { ["name"] = name };
        (await app.Api.PatchAsync($"{Path}/{made.Id}", patch.ToJsonString(), ("If-Match", "\"1\""))).ShouldBe(400);
    }

    [Theory]
    [InlineData("\u200B")]
    [InlineData("\u200B \u2060")]
    [InlineData("\u3164")]
    public async Task Refuses_an_optional_text_without_visible_characters(string text)
    {
        var description = ProductsApp.NewProduct();
        description["description"] = text;
        (await app.Api.PostAsync(Path, description.ToJsonString())).ShouldBeMalformed("$.description");
        var attribute = ProductsApp.NewProduct();
        attribute["attributes"] = new JsonObject { ["size"] = text };
        (await app.Api.PostAsync(Path, attribute.ToJsonString())).ShouldBeMalformed("$.attributes.size");
    }

    [Fact]
    public async Task Composed_and_decomposed_are_one_text()
    {
        var sku = $"CAFÉ-{Guid.CreateVersion7():N}";
        var decomposed = sku.Replace("É", "E\u0301", StringComparison.Ordinal);
        var made = await app.CreateAsync(p =>
        {
            (p["sku"], p["name"], p["category"]) = (decomposed, "Caf\u0065\u0301 \u1112\u1161\u11AB", "the\u0301");
            p["attributes"] = new JsonObject { ["saveur\u0301"] = "cafe\u0301" };
        });

        Assert.Equal((sku, "Café 한", "thé"), ((string?)made.Json["sku"], (string?)made.Json["name"], (string?)made.Json["category"]));
        var again = ProductsApp.NewProduct();
        again["sku"] = sku;
        (await app.Api.PostAsync(Path, again.ToJsonString())).ShouldBe(409);
        foreach (var query in new[]
        {
            $"sku={Uri.EscapeDataString(decomposed)}", $"q={Uri.EscapeDataString(decomposed)}", $"category={Uri.EscapeDataString("the\u0301")}&sku={Uri.EscapeDataString(sku)}",
            $"attribute.{Uri.EscapeDataString("saveur\u0301")}={Uri.EscapeDataString("cafe\u0301")}&sku={Uri.EscapeDataString(sku)}",
        })
        {
            Assert.Single((await app.Api.GetAsync($"{Path}?{query}")).ShouldBe(200).Json["items"]!.AsArray());
        }

        var report = (await app.Api.SendAsync(HttpMethod.Post, $"{Path}/import", $"sku,name\n{decomposed},Cafe\u0301", [], "text/csv")).ShouldBe(200).Body;
        Assert.Contains("\"updated\":1", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_finds_an_attribute_by_either_form_of_its_name()
    {
        var made = await app.CreateAsync(p => p["attributes"] = new JsonObject { ["tamaño"] = "250 g", ["goût"] = "doux", ["한"] = "x", ["size"] = "M" });

        var set = await PatchAttributesAsync(made.Id, 1, ("gou\u0302t", "amer"));
        Assert.Equal("amer", (string?)set.ShouldBe(200).Json["attributes"]!["goût"]);
        var removed = await PatchAttributesAsync(made.Id, 2, ("taman\u0303o", null), ("\u1112\u1161\u11AB", null), ("absent\u0301", null));
        Assert.Equal("""{"goût":"amer","size":"M"}""", removed.ShouldBe(200).Json["attributes"]!.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

        // Two values for one attribute.
        (await PatchAttributesAsync(made.Id, 3, ("goût", "doux"), ("gou\u0302t", null))).ShouldBe(400);
        (await PatchAttributesAsync(made.Id, 3, ("cafe\u0301", "doux"), ("café", "amer"))).ShouldBe(400);
        Assert.Equal(3, (await app.Api.GetAsync($"{Path}/{made.Id}")).Json["version"]!.GetValue<long>());
    }

    [Fact]
    public async Task Counts_code_points()
    {
        var made = await app.CreateAsync(p => (p["name"], p["sku"]) = (string.Concat(Enumerable.Repeat("😀", 200)), string.Concat(Enumerable.Repeat("😀", 31)) + Guid.CreateVersion7().ToString("N")));
        Assert.Equal(400, ((string?)made.Json["name"])!.Length);
        var product = ProductsApp.NewProduct();
        product["name"] = string.Concat(Enumerable.Repeat("😀", 201));
        (await app.Api.PostAsync(Path, product.ToJsonString())).ShouldBeMalformed("$.name");
        (await app.Api.GetAsync($"{Path}?q={Uri.EscapeDataString(string.Concat(Enumerable.Repeat("😀", 150)))}")).ShouldBe(200);
    }

    [Theory]
    [InlineData("18.00000", "EUR", "18.00")]
    [InlineData("18", "EUR", "18.00")]
    [InlineData("1.8e1", "EUR", "18.00")]
    [InlineData("3000.00", "JPY", "3000")]
    [InlineData("1.5", "KWD", "1.500")]
    [InlineData("0", "EUR", "0.00")]
    [InlineData("1.0001", "CLF", "1.0001")]
    public async Task Keeps_an_amount_in_the_units_of_its_currency(string amount, string currency, string kept)
    {
        var made = (await app.Api.PostAsync(Path, Body(amount, currency))).ShouldBe(201);
        Assert.Equal(kept, made.Json["price"]!["amount"]!.ToJsonString());
        Assert.Equal(kept, (await app.Api.GetAsync($"{Path}/{made.Id}")).Json["price"]!["amount"]!.ToJsonString());
        // The same value changes nothing.
        var patch = (await app.Api.PatchAsync($"{Path}/{made.Id}", $$$"""{"price": {"amount": {{{amount}}}}}""", ("If-Match", "\"1\""))).ShouldBe(200);
        Assert.Equal(1, patch.Json["version"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("0.5", "JPY", "amount")]
    [InlineData("1.005", "EUR", "amount")]
    [InlineData("1.0001", "KWD", "amount")]
    [InlineData("1", "ZZZ", "currency")]
    [InlineData("1", "XXX", "currency")]
    [InlineData("1", "XAU", "currency")]
    [InlineData("1", "eur", "currency")]
    public async Task Refuses_invalid_money(string amount, string currency, string member)
    {
        (await app.Api.PostAsync(Path, Body(amount, currency))).ShouldBeMalformed($"$.price.{member}");
        var report = (await app.Api.SendAsync(HttpMethod.Post, $"{Path}/import", $"sku,name,price,currency\n{ProductsApp.NewSku()},Chai,{amount},{currency}", [], "text/csv")).ShouldBe(200).Body;
        Assert.Contains($"$.price.{member}", report, StringComparison.Ordinal);
    }

    private Task<ApiResponse> PatchAttributesAsync(Guid id, int version, params (string Name, string? Value)[] changes)
    {
        var attributes = new JsonObject(changes.Select(change => KeyValuePair.Create<string, JsonNode?>(change.Name, change.Value)));
        return app.Api.PatchAsync($"{Path}/{id}", new JsonObject { ["attributes"] = attributes }.ToJsonString(), ("If-Match", $"\"{version}\""));
    }

    private static string Body(string amount, string currency) =>
        $$$"""{"sku": "{{{ProductsApp.NewSku()}}}", "name": "Chai", "price": {"amount": {{{amount}}}, "currency": "{{{currency}}}"}}""";
}
