using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.ServiceDefaults;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Streamed imports: the lines answered while the file is still being sent, and how an interrupted import ends.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ImportStreamTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const string Path = "/api/inventory/import";

    private InventoryApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await InventoryApp.StartAsync(infrastructure);
        _http = _app.CreateClient();
        _http.Timeout = TimeSpan.FromMinutes(2);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    /// <summary>A batch of valid rows.</summary>
    private static string Rows() => string.Concat(Enumerable.Range(0, 300).Select(_ => $"{{\"productId\":\"{Guid.CreateVersion7()}\",\"onHand\":1}}\n"));

    private static (bool Done, long Processed, string? Error, int? Status) End(string lastLine)
    {
        var line = JsonNode.Parse(lastLine)!;
        return ((bool)line["done"]!, (long)line["processed"]!, (string?)line["error"]?["type"], (int?)line["error"]?["status"]);
    }

    [Fact]
    public async Task A_client_may_send_everything_before_it_reads_anything()
    {
        // 40 MB of bad rows: their answers exceed every buffer between client and server.
        using var content = new RepeatedContent($"{{\"onHand\": 1, \"colour\": \"red\", \"more\": \"{new string('x', 110)}\"}}", 280_000);

        using var response = await _http.PostAsync(Path, content);

        var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((true, 280_000, null, null), End(lines[^1]));
        var summary = JsonNode.Parse(lines[^1])!;
        Assert.Equal(280_000, (long)summary["failed"]!);
        Assert.Equal(280_000, (long)summary["notReported"]! + lines.Count(line => line.StartsWith("{\"line\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_file_of_more_than_100_mebibytes_is_413_or_ends_with_that_error()
    {
        var line = $"{{\"more\": \"{new string('x', 1023 - 12)}\"}}";
        const long limit = ServiceDefaultsExtensions.MaxImportBodySize;
        using var declared = new RepeatedContent(line, (limit / 1024) + 10) { Headers = { ContentLength = limit + 10240 } };
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = declared, Headers = { ExpectContinue = true } };
        using var refused = await _http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Contains($"At most {limit} bytes", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var import = await ChunkedRequest.StartAsync(_app.Address, Path, "application/x-ndjson");
        await import.SendAsync($"{{\"productId\":\"{Guid.CreateVersion7()}\",\"onHand\":1}}\n");
        var mebibyte = string.Concat(Enumerable.Repeat(line + "\n", 1024));
        for (var i = 0; i < 100; i++)
        {
            await import.SendAsync(mebibyte);
        }

        await import.SendAsync(line);
        var (done, _, error, status) = End(await import.ReadUntilAsync("\"done\""));
        Assert.Equal((false, "/problems/body-too-large", 413), (done, error, status));
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_levels"));
    }

    [Fact]
    public async Task An_interrupted_body_is_reported_and_processed_lines_are_kept()
    {
        using var import = await ChunkedRequest.StartAsync(_app.Address, Path, "application/x-ndjson");
        await import.SendAsync(Rows());
        Assert.Equal("""{"processed":300,"changed":300,"unchanged":0,"failed":0}""", await import.ReadUntilAsync("processed"));
        await import.SendAsync("{\"productId\":");
        await import.BreakAsync();

        Assert.Equal((false, 300, "/problems/malformed-request", 400), End(await import.ReadUntilAsync("\"done\"")));
        Assert.Equal(300L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_levels"));
    }

    [Fact]
    public async Task A_database_that_goes_down_is_503_or_ends_with_that_error()
    {
        using var import = await ChunkedRequest.StartAsync(_app.Address, Path, "application/x-ndjson");
        await import.SendAsync(Rows());
        await import.ReadUntilAsync("processed");
        await DatabaseSwitch.OffAsync(_app.ConnectionString);
        await import.SendAsync(Rows());

        Assert.Equal((false, 300, "/problems/dependency-unavailable", 503), End(await import.ReadUntilAsync("\"done\"")));
        (await new ApiClient(_http).SendAsync(HttpMethod.Post, Path, Rows(), [], "application/x-ndjson")).ShouldBeProblem(503, "dependency-unavailable");
    }
}
