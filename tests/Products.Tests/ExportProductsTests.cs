using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ExportProductsTests(ProductsApp app)
{
    private const string Csv = "text/csv";
    private const string Ndjson = "application/x-ndjson";

    private readonly string _category = $"c-{Guid.CreateVersion7()}";

    private Task<ApiResponse> ExportAsync(string accept, string query = "") => app.Api.GetAsync($"/api/products/export?category={_category}{query}", ("Accept", accept));

    private Task<ApiResponse> CreateAsync(string sku, Action<JsonObject>? change = null) => app.CreateAsync(p =>
    {
        (p["sku"], p["category"]) = (sku, _category);
        change?.Invoke(p);
    });

    [Fact]
    public async Task Writes_csv_with_variants_behind_their_products()
    {
        var skus = Enumerable.Range(0, 3).Select(_ => ProductsApp.NewSku()).ToArray();
        var variant = await CreateAsync(skus[0], p => p["description"] = "a \"b\", c\nd");
        var parent = await CreateAsync(skus[1], p => (p["description"], p["attributes"]) = (null, new JsonObject { ["size"] = "S", ["colour"] = "rot, \"grün\"" }));
        await CreateAsync(ProductsApp.NewSku(), p => p["category"] = "another");
        (await app.Api.PatchAsync($"/api/products/{variant.Id}", $$"""{"variantOf": "{{parent.Id}}", "status": "discontinued"}""", variant.IfMatch)).ShouldBe(200);

        var export = (await ExportAsync(Csv)).ShouldBe(200);

        Assert.Equal(Csv, export.ContentType);
        Assert.Equal(
            $$""""
            sku,name,description,category,price,currency,status,variantOfSku,attributes
            {{skus[1]}},Chai,,{{_category}},18.00,EUR,active,,"{""colour"":""rot, \u0022gr\u00FCn\u0022"",""size"":""S""}"
            {{skus[0]}},Chai,"a ""b"", c
            d",{{_category}},18.00,EUR,discontinued,{{skus[1]}},

            """".ReplaceLineEndings("\n"), export.Body.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Writes_json_lines_by_default()
    {
        var sku = ProductsApp.NewSku();
        await CreateAsync(sku, p => p["attributes"] = new JsonObject { ["colour"] = "red" });
        var expected = $$$"""{"sku":"{{{sku}}}","name":"Chai","description":"10 boxes x 20 bags","category":"{{{_category}}}","price":{"amount":18.00,"currency":"EUR"},"status":"active","variantOfSku":null,"attributes":{"colour":"red"}}""" + "\n";

        foreach (var accept in new[] { Ndjson, "*/*", "application/*", "text/html, application/x-ndjson;q=0.5, text/csv;q=0.1" })
        {
            var export = (await ExportAsync(accept)).ShouldBe(200);
            Assert.Equal((Ndjson, expected), (export.ContentType, export.Body));
        }

        Assert.Equal(Csv, (await ExportAsync("text/csv; charset=utf-8, application/x-ndjson;q=0.9")).ShouldBe(200).ContentType);
        Assert.Equal("", (await ExportAsync(Ndjson, "&q=nothing")).ShouldBe(200).Body);
        Assert.StartsWith("sku,name,", (await ExportAsync(Csv, "&q=nothing")).ShouldBe(200).Body, StringComparison.Ordinal);
    }

    private static bool IsBreak(char c) => char.IsControl(c) || c == '\u2028';

    [Theory]
    [InlineData(Csv)]
    [InlineData(Ndjson)]
    public async Task Changes_nothing_when_it_is_imported_again(string form)
    {
        string[] texts =
        [
            "=1+1", "+49", "-5", "@SUM(A1)", "'=x", "''-y", "'quoted'", "\ttab", "a\r\nb", "a\nb", "a\rb", "\"", ",", " blanks ", "', x", "=cmd|' /C calc'!A0",
            "Ω é 緑 😀", "\uFF1D1", "'", "''", "#", "NULL", "true", "007", "a\u2028b",
        ];
        var parent = await CreateAsync(ProductsApp.NewSku());
        foreach (var text in texts)
        {
            await CreateAsync(text.Any(IsBreak) || text.Trim() != text ? ProductsApp.NewSku() : $"{text}{Guid.CreateVersion7():N}", p =>
            {
                (p["name"], p["description"]) = (text.Any(IsBreak) ? "name" : text, text);
                (p["variantOf"], p["price"]!["amount"]) = (parent.Id, 0.0100m);
                p["attributes"] = text.Any(IsBreak) ? null : new JsonObject { [$"{text}a".TrimStart()] = text, ["e"] = "" };
            });
        }

        await CreateAsync(ProductsApp.NewSku(), p => p["description"] = "");
        var before = (await app.Api.GetAsync($"/api/products?category={_category}&limit=100")).Body;
        var export = (await ExportAsync(form)).ShouldBe(200);

        var answer = (await app.Api.SendAsync(HttpMethod.Post, "/api/products/import", export.Body, [], form)).ShouldBe(200);

        var summary = JsonNode.Parse(answer.Body.Trim().Split('\n')[^1])!;
        Assert.True(summary["unchanged"]!.GetValue<int>() == texts.Length + 2 && summary["processed"]!.GetValue<int>() == texts.Length + 2, answer.Body);
        Assert.Equal(before, (await app.Api.GetAsync($"/api/products?category={_category}&limit=100")).Body);
        if (form == Csv)
        {
            // A spreadsheet takes no cell for a formula.
            Assert.DoesNotMatch("(^|,|\n)\"?[=+@\t-]", export.Body);
        }
    }

    [Fact]
    public async Task Writes_all_pages()
    {
        var rows = Enumerable.Range(0, 1201).Select(i => $"{_category}-{i},P,{_category},1,EUR");
        (await app.Api.SendAsync(HttpMethod.Post, "/api/products/import", "sku,name,category,price,currency\n" + string.Join('\n', rows), [], Csv)).ShouldBe(200);

        Assert.Equal(1201, (await ExportAsync(Ndjson)).ShouldBe(200).Body.Count(c => c == '\n'));
        Assert.Equal(11, (await ExportAsync(Ndjson, $"&q={_category}-119")).ShouldBe(200).Body.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Writes_the_existing_ones_of_the_given_ids()
    {
        var skus = Enumerable.Range(0, 3).Select(_ => ProductsApp.NewSku()).ToArray();
        var first = await CreateAsync(skus[0]);
        await CreateAsync(skus[1]);
        var third = await CreateAsync(skus[2]);

        var export = (await app.Api.GetAsync($"/api/products/export?ids={third.Id},{first.Id},{Guid.CreateVersion7()}", ("Accept", Ndjson))).ShouldBe(200);

        Assert.Equal([skus[0], skus[2]], export.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (string?)JsonNode.Parse(line)!["sku"]));
    }

    [Fact]
    public async Task Returns_406_for_another_format_and_400_for_invalid_filters()
    {
        (await ExportAsync("application/pdf")).ShouldBeProblem(406, "not-acceptable");
        (await ExportAsync("text/csv;q=0")).ShouldBeProblem(406, "not-acceptable");
        (await ExportAsync(Csv, "&status=deleted")).ShouldBeMalformed("status");
        (await ExportAsync(Csv, "&minPrice=x")).ShouldBeMalformed("minPrice");
        (await ExportAsync(Csv, "&ids=1,2")).ShouldBeMalformed("ids");
        (await ExportAsync(Csv, $"&ids={string.Join(',', Enumerable.Repeat(Guid.Empty, 101))}")).ShouldBeMalformed("ids");
    }
}
