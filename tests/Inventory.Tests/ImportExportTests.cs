using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Stock from files and to files.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ImportExportTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await InventoryApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private async Task<List<JsonNode>> ImportAsync(string file, string type)
    {
        var response = await _http.PostAsync("/api/inventory/import?reference=2026-11", new StringContent(file, Encoding.UTF8, type));
        Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        return [.. (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    [Fact]
    public async Task Bad_lines_are_told_and_stop_no_good_one()
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
        Assert.Equal([3, 5, 6, 7, 8], report.Where(line => line["line"] is not null).Select(line => (int)line["line"]!));
        Assert.Equal(["onHand", "productId", "location", "onHand", "$"], report.Where(line => line["line"] is not null).Select(line => line["errors"]!.AsObject().Single().Key));
        var last = report[^1];
        Assert.Equal((true, 8, 3, 5), ((bool)last["done"]!, (int)last["processed"]!, (int)last["changed"]!, (int)last["failed"]!));
        Assert.Equal((15, 8), await _app.NumbersAsync(known));
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
    [InlineData("[1]\n{\"productId\":\"x\",\"onHand\":1}\nnull\n{\"onHand\":1}\n{\"productId\":\"019a0000-0000-7000-8000-000000000001\",\"onHand\":-1}", "application/x-ndjson", 5)]
    [InlineData("a,b\n1,2", "text/csv", 1)]
    [InlineData("", "text/csv", 0)]
    [InlineData("productId,onHand\n\"019a0000", "text/csv", 1)]
    public async Task Rubbish_is_told_line_by_line(string file, string type, int failed) =>
        Assert.Equal((true, failed), ((bool)(await ImportAsync(file, type))[^1]["done"]!, (int)(await ImportAsync(file, type))[^1]["failed"]!));

    [Fact]
    public async Task A_line_that_does_not_end_is_not_kept_in_memory()
    {
        var report = await ImportAsync(new string('x', 1_000_000) + "\n{\"productId\":\"019a0000-0000-7000-8000-000000000001\",\"onHand\":1}", "application/x-ndjson");
        Assert.Equal((1, 1), ((int)report[^1]["failed"]!, (int)report[^1]["changed"]!));
    }

    [Fact]
    public async Task Another_content_type_or_format_is_refused()
    {
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await _http.PostAsJsonAsync("/api/inventory/import", new { })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/export?format=xls")).StatusCode);
    }
}
