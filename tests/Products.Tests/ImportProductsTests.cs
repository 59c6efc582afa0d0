using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class ImportProductsTests(ProductsApp app)
{
    private const string Path = "/api/products/import";
    private const string Csv = "text/csv";
    private const string Ndjson = "application/x-ndjson";

    /// <summary>Every test's SKUs have their own prefix.</summary>
    private readonly string _sku = $"I{Guid.CreateVersion7():N}";

    private Task<ApiResponse> SendAsync(string body, string contentType = Csv) => app.Api.SendAsync(HttpMethod.Post, Path, body, [], contentType);

    private async Task<List<JsonNode>> ImportAsync(string body, string contentType = Csv)
    {
        var response = (await SendAsync(body, contentType)).ShouldBe(200);
        Assert.Equal(Ndjson, response.ContentType);
        return [.. response.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static string Summary(int created = 0, int updated = 0, int unchanged = 0, int failed = 0) =>
        $$"""{"done":true,"processed":{{created + updated + unchanged + failed}},"created":{{created}},"updated":{{updated}},"unchanged":{{unchanged}},"failed":{{failed}},"notReported":0,"error":null}""";

    private async Task<JsonNode> GetAsync(string sku) =>
        (await app.Api.GetAsync($"/api/products?sku={Uri.EscapeDataString(sku)}")).ShouldBe(200).Json["items"]!.AsArray().Single()!;

    [Fact]
    public async Task Creates_changes_and_keeps_products_by_their_sku()
    {
        var kept = await app.CreateAsync(p => p["sku"] = $"{_sku}-1");
        var changed = await app.CreateAsync(p => p["sku"] = $"{_sku}-2");

        var lines = await ImportAsync(
            $$$""""
            sku,name,description,category,price,currency,status,variantOfSku,attributes
            {{{_sku}}}-1,Chai,10 boxes x 20 bags,beverages,18,EUR,active,,
            {{{_sku}}}-2,"Chang, ""cold""",,,19.50,USD,discontinued,{{{_sku}}}-1,"{""colour"": ""red""}"
            {{{_sku}}}-3,Three,"Two
            lines",tea,1.0,EUR,active,{{{_sku}}}-1,
            """");

        Assert.Equal([Summary(created: 1, updated: 1, unchanged: 1)], lines.Select(l => l.ToJsonString()));
        Assert.Equal(kept.Body, (await app.Api.GetAsync($"/api/products/{kept.Id}")).Body);
        var second = (await app.Api.GetAsync($"/api/products/{changed.Id}")).Json;
        Assert.Equal(
            ("Chang, \"cold\"", null, null, """{"amount":19.50,"currency":"USD"}""", "discontinued", kept.Id, """{"colour":"red"}""", 2L),
            ((string?)second["name"], (string?)second["description"], (string?)second["category"], second["price"]!.ToJsonString(), (string?)second["status"],
                second["variantOf"]!.GetValue<Guid>(), second["attributes"]!.ToJsonString(), second["version"]!.GetValue<long>()));
        Assert.Equal("Two\nlines", ((string?)(await GetAsync($"{_sku}-3"))["description"])!.ReplaceLineEndings("\n"));
        var events = await app.ReadEventsAsync(changed.Id, 2);
        Assert.Equal("discontinued", events[1].Json.GetProperty("status").GetString());
        Assert.Single(await app.ReadEventsAsync((await GetAsync($"{_sku}-3"))["id"]!.GetValue<Guid>(), 1));
        Assert.Equal(0, await app.CountAsync("SELECT count(*) FROM outbox_messages WHERE key = $1", kept.Id.ToString()));
    }

    [Fact]
    public async Task A_dry_run_reports_its_result_and_changes_nothing()
    {
        var known = await app.CreateAsync(p => p["sku"] = $"{_sku}-1");
        // A variant in a later batch than its product, which a dry run has not stored either.
        var rows = string.Concat(Enumerable.Range(3, 260).Select(i => $"{_sku}-{i},Other,1,EUR,\n"));
        var file = $"sku,name,price,currency,variantOfSku\n{_sku}-2,Two,1,EUR,\n{_sku}-1,Changed,1,EUR,\n{_sku}-x,,1,EUR,\n{rows}{_sku}-v,Variant,1,EUR,{_sku}-2\n";

        var tried = (await app.Api.SendAsync(HttpMethod.Post, Path + "?dryRun=true", file, [], Csv)).ShouldBe(200);

        Assert.Equal(known.Body, (await app.Api.GetAsync($"/api/products/{known.Id}")).Body);
        Assert.Empty((await app.Api.GetAsync($"/api/products?sku={_sku}-2")).Json["items"]!.AsArray());
        Assert.Equal((await SendAsync(file)).Body, tried.Body);
        Assert.Contains("\"created\":262,\"updated\":1,\"unchanged\":0,\"failed\":1", tried.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keeps_what_a_row_leaves_out_and_removes_what_is_null()
    {
        var product = await app.CreateAsync(p => (p["sku"], p["attributes"]) = (_sku, new JsonObject { ["colour"] = "red" }));

        await ImportAsync($"sku,price,currency\n{_sku},20,EUR", Csv);
        var afterCsv = (await app.Api.GetAsync($"/api/products/{product.Id}")).Json;
        Assert.Equal(("Chai", "10 boxes x 20 bags", "20.00", """{"colour":"red"}"""),
            ((string?)afterCsv["name"], (string?)afterCsv["description"], afterCsv["price"]!["amount"]!.ToJsonString(), afterCsv["attributes"]!.ToJsonString()));
        await ImportAsync($$$"""{"sku": "{{{_sku}}}", "description": null, "attributes": {"size": "S"}}""", Ndjson);

        var after = (await app.Api.GetAsync($"/api/products/{product.Id}")).Json;
        Assert.Equal(("Chai", null, """{"size":"S"}""", 3L),
            ((string?)after["name"], (string?)after["description"], after["attributes"]!.ToJsonString(), after["version"]!.GetValue<long>()));
    }

    [Fact]
    public async Task Imports_good_rows_and_names_the_errors_of_bad_ones()
    {
        var deleted = await app.CreateAsync(p => p["sku"] = $"{_sku}-deleted");
        (await app.Api.DeleteAsync($"/api/products/{deleted.Id}", deleted.IfMatch)).ShouldBe(204);
        await app.CreateAsync(p => p["sku"] = $"{_sku}-exists");

        var lines = await ImportAsync(
            $$$""""
            sku,name,price,currency,status,variantOfSku,attributes
            {{{_sku}}}-1,One,1,EUR,,,
            {{{_sku}}}-2,Two,2,EUR,active,,
            {{{_sku}}}-3,,-1,eur,active,,

            {{{_sku}}}-4,Four,four,EUR,active,,red
            {{{_sku}}}-5,Five,5
            "{{{_sku}}}-6
            a",Six,6,EUR,active,,
            {{{_sku}}}-deleted,Deleted,7,EUR,active,,
            {{{_sku}}}-8,Eight,8,EUR,active,{{{_sku}}}-9,
            {{{_sku}}}-9,Nine,9,EUR,active,{{{_sku}}}-9,
            {{{_sku}}}-10,Ten "10",10,EUR,active,,
            {{{_sku}}}-11,{{{"\0"}}},11,EUR,active,,
            {{{_sku}}}-12,Twelve,12,EUR,active,,
            """".ReplaceLineEndings("\n"));

        Assert.Equal(Summary(created: 2, failed: 10), lines[^1].ToJsonString());
        var bad = lines[..^1].OrderBy(l => l["line"]!.GetValue<long>()).Select(l => (
            l["line"]!.GetValue<long>(), ((string)l["sku"]!)[_sku.Length..].ReplaceLineEndings("|"), string.Join(' ', l["errors"]!.AsObject().Select(e => e.Key))));
        Assert.Equal(
            [
                (2L, "-1", "$.status"), (4L, "-3", "$.name $.price.amount $.price.currency"), (6L, "-4", "$.price.amount $.attributes"), (7L, "-5", "$"),
                (8L, "-6|a", "$.sku"), (10L, "-deleted", "$.sku"), (11L, "-8", "$.variantOfSku"), (12L, "-9", "$.variantOfSku"), (13L, "-10", "$"), (14L, "-11", "$"),
            ],
            bad);
        await GetAsync($"{_sku}-2");
        await GetAsync($"{_sku}-12");
    }

    [Fact]
    public async Task Reads_json_lines_as_strictly_as_any_request()
    {
        var lines = await ImportAsync(
            $$$"""
            {"sku": "{{{_sku}}}-1", "name": "One", "price": {"amount": 1.10, "currency": "EUR"}, "attributes": {"b": "2", "a": "1"}}

            {"sku": "{{{_sku}}}-2", "name": "Two", "price": {"amount": 2, "currency": "EUR"}, "colour": "red"}
            {"sku": "{{{_sku}}}-3", "name": "Three", "price": {"amount": "3", "currency": "EUR"}}
            {"sku": "{{{_sku}}}-4", "name": null}
            {"sku": "{{{_sku}}}-5"}
            {"name": "Six"}
            []
            null
            {"sku": "{{{_sku}}}-9", "name": "A\u0000", "price": {"amount": 2, "currency": "EUR"}}
            {"sku": "{{{_sku}}}-10", "status": "deleted", "name": "Ten", "price": {"amount": 2, "currency": "EUR"}}
            {"sku": "{{{_sku}}}-11", "name": "{{{new string('x', 300_000)}}}"}
            {"sku": "{{{_sku}}}-12", "name": "Twelve", "price": {"amount": 2, "currency": "EUR"}, "variantOfSku": "{{{_sku}}}-1"}
            {"sku": "{{{_sku}}}
            """, Ndjson);

        Assert.Equal(Summary(created: 2, failed: 11), lines[^1].ToJsonString());
        var bad = lines[..^1].OrderBy(l => l["line"]!.GetValue<long>()).Select(l => (l["line"]!.GetValue<long>(), string.Join(' ', l["errors"]!.AsObject().Select(e => e.Key))));
        Assert.Equal(
            [
                (3L, "$.colour"), (4L, "$.price.amount"), (5L, "$.name"), (6L, "$.name $.price"), (7L, "$.sku"), (8L, "$"), (9L, "$"),
                (10L, "$.name"), (11L, "$.status"), (12L, "$"), (14L, "$.sku"),
            ],
            bad);
        Assert.Equal("1.10", (await GetAsync($"{_sku}-1"))["price"]!["amount"]!.ToJsonString());
        Assert.Equal((await GetAsync($"{_sku}-1"))["id"]!.GetValue<Guid>(), (await GetAsync($"{_sku}-12"))["variantOf"]!.GetValue<Guid>());
    }

    [Fact]
    public async Task Reports_its_progress_and_changes_nothing_when_repeated()
    {
        var body = new StringBuilder("sku,name,price,currency\r\n");
        for (var i = 0; i < 2300; i++)
        {
            body.Append($"{_sku}-{i},Product {i},{i % 100}.50,EUR\r\n");
        }

        var first = await ImportAsync(body.ToString());
        Assert.Equal(
            [
                """{"processed":1000,"created":1000,"updated":0,"unchanged":0,"failed":0}""", """{"processed":2000,"created":2000,"updated":0,"unchanged":0,"failed":0}""",
                Summary(created: 2300),
            ],
            first.Select(l => l.ToJsonString()));
        var ofThese = "FROM products WHERE starts_with(sku, $1)";
        var versions = await app.CountAsync($"SELECT sum(version)::bigint {ofThese}", _sku);
        await Eventually.TrueAsync(async () => await app.CountAsync("SELECT count(*) FROM outbox_messages") == 0, TimeSpan.FromSeconds(30), "the outbox is empty");

        var again = await ImportAsync(body.ToString());

        Assert.Equal(Summary(unchanged: 2300), again[^1].ToJsonString());
        Assert.Equal(2300, versions);
        Assert.Equal(versions, await app.CountAsync($"SELECT sum(version)::bigint {ofThese}", _sku));
        Assert.Equal(0, await app.CountAsync($"SELECT count(*) FROM outbox_messages WHERE key IN (SELECT id::text {ofThese})", _sku));
    }

    [Fact]
    public async Task Applies_rows_of_one_sku_in_their_order()
    {
        var lines = await ImportAsync($"sku,name,price,currency\n{_sku},First,1,EUR\n{_sku},Second,1,EUR\n{_sku},Second,1,EUR");

        Assert.Equal(Summary(created: 1, updated: 1, unchanged: 1), lines.Single().ToJsonString());
        Assert.Equal(("Second", 2L), ((string?)(await GetAsync(_sku))["name"], (await GetAsync(_sku))["version"]!.GetValue<long>()));
    }

    [Fact]
    public async Task Keeps_one_level_of_variants_within_a_file()
    {
        var lines = await ImportAsync(
            $"""
            sku,name,price,currency,variantOfSku
            {_sku}-a,A,1,EUR,
            {_sku}-b,B,1,EUR,{_sku}-a
            {_sku}-c,C,1,EUR,{_sku}-b
            {_sku}-d,D,1,EUR,
            """);
        Assert.Equal((4L, Summary(created: 3, failed: 1)), (lines[0]["line"]!.GetValue<long>(), lines[^1].ToJsonString()));

        Assert.Equal("$.variantOfSku", (await ImportAsync($"sku,variantOfSku\n{_sku}-a,{_sku}-d"))[0]["errors"]!.AsObject().Single().Key);
        Assert.Equal(Summary(updated: 2), (await ImportAsync($"sku,variantOfSku\n{_sku}-b,\n{_sku}-a,{_sku}-d"))[^1].ToJsonString());
    }

    [Theory]
    [InlineData("", "$")]
    [InlineData("\n\n", "$")]
    [InlineData("name,price,currency\nA,1,EUR", "$.sku")]
    [InlineData("sku,colour\nA,red", "$.colour")]
    [InlineData("sku,name,name\nA,B,C", "$.name")]
    [InlineData("sku,price\nA,1", "$.price")]
    [InlineData("sku;name;price;currency\nA;B;1;EUR", "$.sku")]
    [InlineData("sk\"u,name\nA,B", "$.sku")]
    public async Task Returns_400_for_a_header_that_it_cannot_read(string body, string path) => (await SendAsync(body)).ShouldBeMalformed(path);

    [Fact]
    public async Task Takes_columns_in_any_order_and_case_and_a_byte_order_mark() =>
        Assert.Equal(Summary(created: 1), (await ImportAsync($"\uFEFFCurrency, NAME ,Sku,price\nEUR,A,{_sku},1")).Single().ToJsonString());

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    public async Task Returns_415_for_another_content_type(string contentType) =>
        (await SendAsync("sku\nA", contentType)).ShouldBeProblem(415, "unsupported-media-type");

    [Fact]
    public async Task Returns_415_for_another_character_set()
    {
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes("sku\nÄ")) { Headers = { ContentType = MediaTypeHeaderValue.Parse("text/csv; charset=iso-8859-1") } };
        using var http = new HttpClient { BaseAddress = app.Address, DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        using var response = await http.PostAsync(Path, content);

        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task Answers_only_a_summary_for_an_empty_file()
    {
        Assert.Equal(Summary(), (await ImportAsync("", Ndjson)).Single().ToJsonString());
        Assert.Equal(Summary(), (await ImportAsync("sku,name\n")).Single().ToJsonString());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(250)]
    [InlineData(253)]
    public async Task Ends_with_an_error_when_quotes_were_left_open_and_imports_what_was_before(int before)
    {
        var body = new StringBuilder("sku,name,price,currency\n");
        for (var i = 0; i < before; i++)
        {
            body.Append($"{_sku}-{i},A,1,EUR\n");
        }

        var lines = await ImportAsync(WithOpenQuotes(body));

        Assert.Equal((false, before, before, "/problems/malformed-request"),
            (lines[^1]["done"]!.GetValue<bool>(), lines[^1]["processed"]!.GetValue<int>(), lines[^1]["created"]!.GetValue<int>(), (string?)lines[^1]["error"]!["type"]));
        Assert.Equal(before, await app.CountAsync("SELECT count(*) FROM products WHERE starts_with(sku, $1)", _sku));
    }

    [Fact]
    public async Task Returns_400_when_quotes_were_left_open_in_the_first_row() =>
        (await SendAsync(WithOpenQuotes(new("sku,name,price,currency\n")))).ShouldBeMalformed("$");

    private string WithOpenQuotes(StringBuilder body) =>
        body.Append($"{_sku}-x,\"A,1,EUR\n").Insert(body.Length, $"{_sku}-y,B,1,EUR\n", 20_000).ToString();

    [Fact]
    public async Task Stores_the_other_rows_when_the_database_refuses_one()
    {
        await using var check = app.Database.CreateCommand($"ALTER TABLE products ADD CONSTRAINT ck_{_sku} CHECK (name <> '{_sku}')");
        await check.ExecuteNonQueryAsync();

        var lines = await ImportAsync($"sku,name,price,currency\n{_sku}-1,A,1,EUR\n{_sku}-2,{_sku},1,EUR\n{_sku}-3,C,1,EUR");

        Assert.Equal((3L, Summary(created: 2, failed: 1)), (lines[0]["line"]!.GetValue<long>(), lines[^1].ToJsonString()));
        await GetAsync($"{_sku}-3");
    }

    [Fact]
    public async Task Lets_two_concurrent_imports_of_the_same_products_both_succeed()
    {
        var rows = Enumerable.Range(0, 600).Select(i => $"{_sku}-{i},Product,1,EUR").ToList();
        var forwards = "sku,name,price,currency\n" + string.Join('\n', rows);
        var backwards = "sku,name,price,currency\n" + string.Join('\n', Enumerable.Reverse(rows));

        var both = await Task.WhenAll(ImportAsync(forwards), ImportAsync(backwards));

        Assert.All(both, lines => Assert.Equal(("0", "true"), (lines[^1]["failed"]!.ToJsonString(), lines[^1]["done"]!.ToJsonString())));
        Assert.Equal(600, both.Sum(lines => lines[^1]["created"]!.GetValue<long>()));
        Assert.Equal(600, await app.CountAsync("SELECT sum(version)::bigint FROM products WHERE starts_with(sku, $1)", _sku));
    }

    [Fact]
    public async Task Invalidates_the_cache()
    {
        var product = await app.CreateAsync(p => p["sku"] = _sku);
        (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200);

        await ImportAsync($"sku,name\n{_sku},Renamed");

        Assert.Equal("Renamed", (string?)(await app.Api.GetAsync($"/api/products/{product.Id}")).Json["name"]);
    }
}
