using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Stock from files and to files.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ImportExportTests(SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private Task<ApiResponse> SendAsync(string file, string type, string reference = "2026-11") =>
        new ApiClient(_http).SendAsync(HttpMethod.Post, $"/api/inventory/import?reference={reference}", file, [], type);

    private async Task<List<JsonNode>> ImportAsync(string file, string type)
    {
        var response = (await SendAsync(file, type)).ShouldBe(200);
        Assert.Equal("application/x-ndjson", response.ContentType);
        return [.. response.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    [Fact]
    public async Task Bad_lines_are_reported_and_good_lines_are_imported()
    {
        (await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "berlin", name = "Berlin" })).EnsureSuccessStatusCode();
        var known = await _app.StockAsync(10, threshold: 2);
        var order = Guid.CreateVersion7();
        await _app.CreateAsync(order, null, (known, 8));
        await _app.WaitForOutcomeAsync(order, "reserved");
        var fresh = Guid.CreateVersion7();
        var report = await ImportAsync(
            $"""
             productId,location,onHand,lowStockThreshold
             {known},berlin,5,
             {known},default,7,
             {fresh},,12,3
             x,default,1,
             {fresh},atlantis,1,
             {fresh},default,1.5,
             {fresh},default
             "{fresh}","default","11",4
             """, "text/csv");
        Assert.Equal([3, 5, 6, 7, 8], report.Where(line => line["line"] is not null).Select(line => (int)line["line"]!).Order());
        Assert.Contains(report, line => (int?)line["line"] == 5 && (string?)line["productId"] == "x");
        Assert.Equal(
            ["$.onHand", "$.productId", "$.location", "$.onHand", "$"],
            report.Where(line => line["line"] is not null).OrderBy(line => (int)line["line"]!).Select(line => line["errors"]!.AsObject().Single().Key));
        var last = report[^1];
        Assert.Equal((true, 8, 3, 5), ((bool)last["done"]!, (int)last["processed"]!, (int)last["changed"]!, (int)last["failed"]!));
        Assert.Equal((15, 8), await _app.QuantitiesAsync(known));
        var level = await _app.LevelAsync(fresh);
        Assert.Equal((11, 4), ((int)level["onHand"]!, (int)level["lowStockThreshold"]!));
        var movement = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{fresh}/movements"))!["items"]![0]!;
        Assert.Equal(("set", "import", "2026-11"), ((string?)movement["kind"], (string?)movement["reason"], (string?)movement["reference"]));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task What_is_exported_can_be_imported_again_and_changes_nothing()
    {
        var products = Enumerable.Range(1, 700).Select(_ => Guid.CreateVersion7()).ToList();
        var file = string.Concat(products.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{{\"productId\":\"{p}\",\"onHand\":{i}}}\n")));
        var report = await ImportAsync(file, "application/x-ndjson");
        Assert.Equal([300, 600, 700, 700], report.Select(line => (int)line["processed"]!));
        Assert.Equal(700, (int)report[^1]["changed"]!);

        foreach (var (format, type) in new[] { ("csv", "text/csv"), ("ndjson", "application/x-ndjson") })
        {
            var export = await _http.GetAsync($"/api/inventory/export?format={format}");
            Assert.Equal(type, export.Content.Headers.ContentType!.MediaType);
            var text = await export.Content.ReadAsStringAsync();
            Assert.All(products, product => Assert.Contains(product.ToString(), text, StringComparison.Ordinal));
            var again = (await ImportAsync(text, type))[^1];
            Assert.Equal((true, 0, 700, 0), ((bool)again["done"]!, (int)again["changed"]!, (int)again["unchanged"]!, (int)again["failed"]!));
        }

        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData("", "application/x-ndjson", "application/x-ndjson")]
    [InlineData("", "text/csv; charset=utf-8", "text/csv")]
    [InlineData("", "text/html, */*;q=0.8", "text/csv")]
    [InlineData("", "image/png", null)]
    [InlineData("?format=ndjson", "text/csv", "application/x-ndjson")]
    [InlineData("?format=csv", "image/png", "text/csv")]
    public async Task The_format_of_an_export_is_the_one_that_is_asked_for(string query, string accept, string? expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/inventory/export{query}");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await _http.SendAsync(request);
        Assert.Equal((expected is null ? 406 : 200, expected ?? "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData("[1]\n{\"productId\":\"x\",\"onHand\":1}\nnull\n{\"onHand\":1}\n{\"productId\":\"019a0000-0000-7000-8000-000000000001\",\"onHand\":-1}", "application/x-ndjson", 5)]
    [InlineData("", "application/x-ndjson", 0)]
    [InlineData("onHand,productId\n-1,019a0000-0000-7000-8000-000000000001\n1000000000001,019a0000-0000-7000-8000-000000000001\n\n,", "text/csv", 3)]
    [InlineData("productId,onHand\n\"019a0000", "text/csv", 1)]
    [InlineData("productId,onHand\n0x9a0000-0000-7000-8000-000000000001,1\n+19a0000-0000-7000-8000-000000000001,1\n{019a0000-0000-7000-8000-000000000001},1", "text/csv", 3)]
    public async Task Garbage_is_reported_line_by_line(string file, string type, int failed) =>
        Assert.Equal((true, failed), ((bool)(await ImportAsync(file, type))[^1]["done"]!, (int)(await ImportAsync(file, type))[^1]["failed"]!));

    [Fact]
    public async Task A_line_that_does_not_end_is_not_kept_in_memory()
    {
        var report = await ImportAsync(new string('x', 1_000_000) + "\n{\"productId\":\"019a0000-0000-7000-8000-000000000001\",\"onHand\":1}", "application/x-ndjson");
        Assert.Equal((1, 1), ((int)report[^1]["failed"]!, (int)report[^1]["changed"]!));
    }

    [Fact]
    public async Task The_later_row_of_a_level_wins()
    {
        var product = Guid.CreateVersion7();
        var report = await ImportAsync($"productId,onHand\n{product},1\n{product},2\n{product},2", "text/csv");
        Assert.Equal((2, 1), ((int)report[^1]["changed"]!, (int)report[^1]["unchanged"]!));
        Assert.Equal((2, 0), await _app.QuantitiesAsync(product));

        // A removed record that an earlier row has created again is there for the next row.
        (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", ifMatch: "\"1\"")).EnsureSuccessStatusCode();
        report = await ImportAsync($"productId,onHand\n{product},1\n{product},1", "text/csv");
        Assert.Equal((1, 1), ((int)report[^1]["changed"]!, (int)report[^1]["unchanged"]!));
        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData("", "$")]
    [InlineData("a,productId,onHand\n1,2,3", "$.a")]
    [InlineData("onHand,location\n1,default", "$.productId")]
    [InlineData("productId,location\n1,default", "$.onHand")]
    [InlineData("productId,onHand,onHand\n1,2,3", "$.onHand")]
    public async Task A_header_that_cannot_be_read_is_400(string file, string path) =>
        (await SendAsync(file, "text/csv")).ShouldBeMalformed(path);

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("text/csv; charset=iso-8859-1")]
    public async Task Another_content_type_or_character_set_is_415(string type) =>
        (await SendAsync("productId,onHand\n", type)).ShouldBeProblem(415, "unsupported-media-type");

    [Fact]
    public async Task Another_format_or_a_reference_that_is_too_long_is_400()
    {
        (await new ApiClient(_http).GetAsync("/api/inventory/export?format=xls")).ShouldBeMalformed("format");
        (await SendAsync("productId,onHand\n", "text/csv", new string('x', 201))).ShouldBeMalformed("reference");
    }

    [Fact]
    public async Task A_reference_follows_the_same_rules_as_in_other_requests()
    {
        foreach (var reference in new[] { " 2026-11", "2026-11 ", "2026\u200B-11", "2026\u202E-11", "2026\t11", "2026\n11", "2026\u0000" })
        {
            (await SendAsync("productId,onHand\n", "text/csv", Uri.EscapeDataString(reference))).ShouldBeMalformed("reference");
        }

        // The limit counts code points, and the stored text is normalised (NFC).
        (await SendAsync("productId,onHand\n", "text/csv", Uri.EscapeDataString(string.Concat(Enumerable.Repeat("😀", 200))))).ShouldBe(200);
        (await SendAsync("productId,onHand\n", "text/csv", "")).ShouldBe(200);
    }
}
