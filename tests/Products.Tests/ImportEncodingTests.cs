using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Files that are not UTF-8, and what a report states about rows that cannot be read.</summary>
public sealed class ImportEncodingTests(ProductsApp app) : IClassFixture<ProductsApp>
{
    private const string Path = "/api/products/import";

    [Theory]
    [InlineData("utf-16", "text/csv")]
    [InlineData("utf-16BE", "text/csv")]
    [InlineData("utf-32", "text/csv")]
    [InlineData("utf-16 without mark", "text/csv")]
    [InlineData("utf-16", "application/x-ndjson")]
    [InlineData("utf-16BE", "application/x-ndjson")]
    [InlineData("utf-16 without mark", "application/x-ndjson")]
    public async Task Reports_once_that_a_file_is_not_utf8(string encoding, string type)
    {
        var text = type == "text/csv" ? "sku,name\nA,B" : """{"sku": "A", "name": "B"}""";
        byte[] bytes = encoding == "utf-16 without mark"
            ? Encoding.Unicode.GetBytes(text)
            : [.. Encoding.GetEncoding(encoding).GetPreamble(), .. Encoding.GetEncoding(encoding).GetBytes(text)];
        var problem = await PostAsync(bytes, type);
        Assert.Equal(400, (int?)problem["status"]);
        Assert.Contains("not UTF-8", problem["errors"]!["$"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_a_header_in_latin1_and_a_spreadsheet()
    {
        foreach (var bytes in new[] { Encoding.Latin1.GetBytes("sku,größe\nA,B"), [0x50, 0x4B, 3, 4, 20, 0, 6, 0] })
        {
            var problem = await PostAsync(bytes, "text/csv");
            Assert.Contains("not UTF-8", problem["errors"]!["$"]!.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Names_the_sku_of_a_row_that_cannot_be_read()
    {
        var body = """
            {"sku": "A-1", "name": 5}
            {"name": "x", "colour": "red", "sku": "A-2"}
            {"sku": "A-3", "price": {"amount": "1"}}
            {"name": "x"}
            {"sku": 7}
            {"name": {"sku": "inner"}, "sku": "A-6"}
            {"sku": "A-7"
            """;
        var response = (await app.Api.SendAsync(HttpMethod.Post, Path, body, [], "application/x-ndjson")).ShouldBe(200).Body;
        var skus = response.Trim().Split('\n').Select(line => JsonNode.Parse(line)!).Where(line => line["line"] is not null).Select(line => (string?)line["sku"]);
        Assert.Equal(["A-1", "A-2", "A-3", null, null, "A-6", "A-7"], skus);
    }

    [Fact]
    public async Task Names_the_readable_part_of_the_sku_of_a_row_that_is_not_utf8()
    {
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes("sku,name,price,currency\nTÜ-1,Chai,18,EUR\nA-2,Tü,18,EUR\n"));
        content.Headers.ContentType = new("text/csv");
        using var http = new HttpClient { BaseAddress = app.Address, DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        using var response = await http.PostAsync(Path, content);

        var skus = (await response.Content.ReadAsStringAsync()).Trim().Split('\n').Select(line => JsonNode.Parse(line)!).Where(line => line["line"] is not null).Select(line => (string?)line["sku"]);
        Assert.Equal(["T\uFFFD-1", "A-2"], skus);
    }

    [Theory]
    [InlineData("+5")]
    [InlineData("5-")]
    [InlineData(" 5")]
    [InlineData("\"1,5\"")]
    [InlineData("٣")]
    [InlineData("NaN")]
    [InlineData("(5)")]
    public async Task A_price_in_a_file_is_a_plain_number(string price)
    {
        var report = (await app.Api.SendAsync(HttpMethod.Post, Path, $"sku,name,price,currency\n{ProductsApp.NewSku()},Chai,{price},EUR", [], "text/csv")).ShouldBe(200).Body;

        Assert.Contains("$.price.amount", report, StringComparison.Ordinal);
    }

    private async Task<JsonNode> PostAsync(byte[] body, string type)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(type);
        using var http = new HttpClient { BaseAddress = app.Address, DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        using var response = await http.PostAsync(Path, content);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }
}
