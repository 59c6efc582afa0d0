using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.ServiceDefaults;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Streamed imports: the lines answered while the request is still being sent, and what is refused for its size.</summary>
[Collection(ProductsCollection.Name)]
public sealed class ImportStreamTests(ProductsApp app)
{
    private readonly string _sku = $"S{Guid.CreateVersion7():N}";

    [Fact]
    public async Task Answers_while_the_file_is_still_being_sent()
    {
        using var import = await ChunkedRequest.StartAsync(app.Address, "/api/products/import", "application/x-ndjson");

        await import.SendAsync("{\"sku\": 7}\n");
        await import.ReadUntilAsync("HTTP/1.1 200 OK");
        Assert.Contains("\"line\":1", await import.ReadUntilAsync("\"line\""), StringComparison.Ordinal);
        var rows = new StringBuilder();
        for (var i = 0; i < 1000; i++)
        {
            rows.Append($$$"""{"sku": "{{{_sku}}}-{{{i}}}", "name": "A", "price": {"amount": 1, "currency": "EUR"}}""").Append('\n');
        }

        await import.SendAsync(rows.ToString());
        Assert.Contains("\"created\":", await import.ReadUntilAsync("\"processed\""), StringComparison.Ordinal);
        await import.EndAsync();
        Assert.Contains("\"created\":1000", await import.ReadUntilAsync("\"done\":true"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lets_a_client_send_everything_before_it_reads_anything()
    {
        // 40 MB of bad rows: their answers exceed every buffer between client and server.
        using var content = new RepeatedContent($"{{\"sku\": \"{_sku}\", \"colour\": \"red\", \"more\": \"{new string('x', 100)}\"}}", 280_000);
        using var http = new HttpClient { BaseAddress = app.Address, Timeout = TimeSpan.FromMinutes(2), DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };

        using var response = await http.PostAsync("/api/products/import", content);

        var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var summary = JsonNode.Parse(lines[^1])!;
        Assert.Equal((true, 280_000L, 280_000L), (summary["done"]!.GetValue<bool>(), summary["processed"]!.GetValue<long>(), summary["failed"]!.GetValue<long>()));
        Assert.Equal(280_000, summary["notReported"]!.GetValue<long>() + lines.Count(line => line.StartsWith("{\"line\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Imports_the_rows_before_the_place_where_the_body_breaks_off()
    {
        using var import = await ChunkedRequest.StartAsync(app.Address, "/api/products/import", "application/x-ndjson");
        await import.SendAsync($$$"""{"sku": "{{{_sku}}}", "name": "A", "price": {"amount": 1, "currency": "EUR"}}""" + "\n{\"sku\": 7}\n");
        await import.ReadUntilAsync("\"line\":2");

        await import.BreakAsync();

        var summary = JsonNode.Parse(await import.ReadUntilAsync("\"done\":false"))!;
        Assert.Equal((2, 1, 1, 400),
            (summary["processed"]!.GetValue<int>(), summary["created"]!.GetValue<int>(), summary["failed"]!.GetValue<int>(), summary["error"]!["status"]!.GetValue<int>()));
        Assert.Equal(1, await app.CountAsync("SELECT count(*) FROM products WHERE sku = $1", _sku));
    }

    [Fact]
    public async Task Returns_413_for_more_than_100_mebibytes_and_takes_more_than_one()
    {
        using var http = new HttpClient { BaseAddress = app.Address, Timeout = TimeSpan.FromMinutes(2), DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        var line = new string(' ', 1023);
        using (var two = new RepeatedContent(line, 2 * 1024))
        using (var taken = await http.PostAsync("/api/products/import", two))
        {
            Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        }

        using var declared = new RepeatedContent(line, (ServiceDefaultsExtensions.MaxImportBodySize / 1024) + 1) { Headers = { ContentLength = ServiceDefaultsExtensions.MaxImportBodySize + 1024 } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/products/import") { Content = declared, Headers = { ExpectContinue = true } };
        using var refused = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Contains($"At most {ServiceDefaultsExtensions.MaxImportBodySize} bytes", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Returns_503_while_the_database_is_down()
    {
        var (other, database) = await app.StartAloneAsync();
        await using var _ = other;
        (await other.Api.GetAsync("/api/products")).ShouldBe(200);
        await DatabaseSwitch.OffAsync(database);

        (await other.Api.SendAsync(HttpMethod.Post, "/api/products/import", $"sku,name,price,currency\n{_sku},A,1,EUR", [], "text/csv"))
            .ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.GetAsync("/api/products/export")).ShouldBeProblem(503, "dependency-unavailable");
    }
}
