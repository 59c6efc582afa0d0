using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Edge cases of HTTP and JSON reported by users of comparable systems, tested on this service; docs/testing.md lists them.</summary>
[Collection(ProductsCollection.Name)]
public sealed class ReportedEdgesTests(ProductsApp app)
{
    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("[{}]")]
    [InlineData("{} {}")]
    [InlineData("{},")]
    [InlineData("{\"sku\": \"a\",}")]
    [InlineData("{\"sku\": \"a\" /* said */}")]
    [InlineData("// said\n{}")]
    [InlineData("{'sku': 'a'}")]
    [InlineData("{\"sku\": NaN}")]
    [InlineData("{\"sku\": \"a\nb\"}")]
    [InlineData("{\"sku\": \"\\ud800\"}")]
    [InlineData("\uFEFF\uFEFF{}")]
    public async Task A_body_that_is_not_a_valid_json_object_is_400(string body)
    {
        foreach (var (method, path) in new[] { (HttpMethod.Post, "/api/products"), (HttpMethod.Put, $"/api/products/{Guid.CreateVersion7()}") })
        {
            using var answer = await SendAsync(method, path, body, ("If-Match", "\"1\""));

            await ShouldBeProblemAsync(answer, 400);
        }
    }

    [Theory]
    [InlineData("1e400")]
    [InlineData("1e29")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("0.0000000000000000000000000001")]
    [InlineData("1E-30")]
    [InlineData("18.00000000000000000000000000000000001")]
    [InlineData("0.9999999999999999999999999999999999")]
    [InlineData("-0.01")]
    [InlineData("18.005")]
    [InlineData("\"18.00\"")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("[18]")]
    [InlineData("{}")]
    public async Task An_amount_that_is_not_a_price_is_400(string amount)
    {
        var body = ProductsApp.NewProduct().ToJsonString().Replace("18.00", amount, StringComparison.Ordinal);
        using var answer = await SendAsync(HttpMethod.Post, "/api/products", body);

        await ShouldBeProblemAsync(answer, 400);
    }

    [Theory]
    [InlineData("1.8e1")]
    [InlineData("1800E-2")]
    [InlineData("18.000000000000000000000000000000000000")]
    [InlineData("0.0018e4")]
    public async Task An_amount_is_accepted_in_any_notation(string amount)
    {
        var body = ProductsApp.NewProduct().ToJsonString().Replace("18.00", amount, StringComparison.Ordinal);
        using var answer = await SendAsync(HttpMethod.Post, "/api/products", body);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Contains("\"amount\":18.00,", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("18.00000000000000000000000000000000001", "failed")]
    [InlineData("0.00000000000000000000000000000000001", "failed")]
    [InlineData("18.00", "created")]
    public async Task A_price_in_a_file_is_equally_exact(string amount, string outcome)
    {
        using var content = new StringContent($"sku,name,price,currency\n{ProductsApp.NewSku()},Chai,{amount},EUR\n", Encoding.UTF8, "text/csv");
        using var client = new HttpClient { DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        using var answer = await client.PostAsync(new Uri(app.Address, "/api/products/import"), content);

        Assert.Contains($"\"{outcome}\":1", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"1\"", 200)]
    [InlineData("\"9\", \"1\"", 200)]
    [InlineData("\"9\",\"1\"", 200)]
    [InlineData("*", 200)]
    [InlineData("W/\"1\"", 412)]
    [InlineData("\"01\"", 412)]
    [InlineData("\"2\"", 412)]
    [InlineData("1", 412)]
    [InlineData("\"1", 412)]
    [InlineData("'1'", 412)]
    [InlineData("\"\"", 412)]
    [InlineData("\"1\"x", 412)]
    [InlineData("\"9\"", 412)]
    public async Task If_match_is_a_list_of_strong_tags(string tags, int status)
    {
        var product = await app.CreateAsync();
        using var answer = await SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", """{"name": "Chang"}""", ("If-Match", tags));

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("\"1\"")]
    [InlineData("\"9\", W/\"1\"")]
    public async Task A_change_with_a_matching_If_None_Match_is_412(string tags)
    {
        var product = await app.CreateAsync();
        using var answer = await SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", """{"name": "Chang"}""", ("If-Match", "\"1\""), ("If-None-Match", tags));

        await ShouldBeProblemAsync(answer, 412);
        Assert.Equal("Chai", (string?)(await app.Api.GetAsync($"/api/products/{product.Id}")).Json["name"]);
    }

    [Theory]
    [InlineData("\"1\"", 304)]
    [InlineData("W/\"1\"", 304)]
    [InlineData("\"9\", \"1\"", 304)]
    [InlineData("*", 304)]
    [InlineData("\"11\"", 200)]
    [InlineData("1", 200)]
    [InlineData("", 200)]
    public async Task If_none_match_is_a_list_of_tags(string tags, int status)
    {
        var product = await app.CreateAsync();
        using var answer = await SendAsync(HttpMethod.Get, $"/api/products/{product.Id}", null, ("If-None-Match", tags));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("\"1\"", answer.Headers.ETag!.Tag);
    }

    [Theory]
    [InlineData("Range", "bytes=0-3", 200)]
    [InlineData("If-Modified-Since", "Sat, 28 Nov 2099 00:00:00 GMT", 200)]
    [InlineData("If-Modified-Since", "yesterday", 200)]
    [InlineData("Accept", "application/vnd.shop+json", 200)]
    [InlineData("Accept", ";;;", 200)]
    [InlineData("Accept", "text/html;q=abc", 200)]
    [InlineData("Accept-Language", "xx;q=2, ,", 200)]
    [InlineData("Accept-Encoding", "br;q=0, identity;q=0", 200)]
    [InlineData("Accept-Charset", "utf-16", 200)]
    [InlineData("X-HTTP-Method-Override", "DELETE", 200)]
    [InlineData("X-Method-Override", "DELETE", 200)]
    [InlineData("traceparent", "00-not-a-trace", 200)]
    [InlineData("traceparent", "00-00000000000000000000000000000000-0000000000000000-00", 200)]
    [InlineData("Cookie", "a=b; ; =; \"", 200)]
    [InlineData("Prefer", "wait=99999999999999999999", 200)]
    [InlineData("Upgrade", "h2c", 200)]
    [InlineData("Content-Type", "nonsense", 200)]
    public async Task A_read_is_answered_with_any_additional_header(string name, string value, int status)
    {
        var product = await app.CreateAsync();
        using var answer = await SendAsync(HttpMethod.Get, $"/api/products/{product.Id}", null, (name, value));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal((string?)product.Json["sku"], (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["sku"]);
    }

    [Theory]
    [InlineData("application/vnd.shop+json")]
    [InlineData("text/html")]
    [InlineData("image/png;q=1, */*;q=0")]
    [InlineData(";;;")]
    public async Task An_error_is_a_problem_document_with_any_Accept_header(string accept)
    {
        foreach (var path in new[] { $"/api/products/{Guid.CreateVersion7()}", "/api/products/x", "/api/nothing" })
        {
            using var answer = await SendAsync(HttpMethod.Get, path, null, ("Accept", accept));

            await ShouldBeProblemAsync(answer, 404);
        }
    }

    [Theory]
    [InlineData(null, 415)]
    [InlineData("", 415)]
    [InlineData("text/plain", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    [InlineData("application/json, text/plain", 415)]
    [InlineData("application", 415)]
    [InlineData("json", 415)]
    [InlineData("APPLICATION/JSON", 201)]
    public async Task A_body_needs_the_content_type_of_json(string? type, int status)
    {
        var answer = await RawAsync(
            $"POST /api/products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{(type is null ? "" : $"Content-Type: {type}\r\n")}", ProductsApp.NewProduct().ToJsonString());

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_content_types_or_keys_are_refused()
    {
        var types = await RawAsync("POST /api/products HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\n", ProductsApp.NewProduct().ToJsonString());
        var keys = await RawAsync("POST /api/products HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n", ProductsApp.NewProduct().ToJsonString());

        Assert.Matches("^HTTP/1.1 (400|415) ", types);
        Assert.StartsWith("HTTP/1.1 400 ", keys, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_chunk_ends_the_connection_and_says_so()
    {
        var answer = await RawAsync("POST /api/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", null);

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\"/problems/malformed-request\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a_b", "a_b", "axb")]
    [InlineData("a\\b", "a\\b", "axb")]
    [InlineData("it's", "it's", "its")]
    public async Task A_search_takes_its_characters_literally(string q, string found, string other)
    {
        var mark = Guid.CreateVersion7().ToString("N");
        foreach (var name in new[] { found, other })
        {
            await app.CreateAsync(product => product["name"] = $"{name} {mark}");
        }

        var list = await app.Api.GetAsync($"/api/products?q={Uri.EscapeDataString($"{q}")}&category=beverages&limit=100");

        var names = list.Json["items"]!.AsArray().Select(item => (string)item!["name"]!).Where(name => name.EndsWith(mark, StringComparison.Ordinal));
        Assert.Equal([$"{found} {mark}"], names);
    }

    [Fact]
    public async Task An_id_may_be_in_capitals_and_a_path_has_one_spelling()
    {
        var product = await app.CreateAsync();
        var id = product.Id.ToString();

        using var capitals = await SendAsync(HttpMethod.Get, $"/api/products/{id.ToUpperInvariant()}", null);
        Assert.Equal((HttpStatusCode.OK, id), (capitals.StatusCode, (string?)JsonNode.Parse(await capitals.Content.ReadAsStringAsync())!["id"]));
        foreach (var path in new[] { $"/api/products/{id}/x", $"/api/products/{id}%00", $"/api/products/{id};a=b", $"/api/products/{id},{id}" })
        {
            using var answer = await SendAsync(HttpMethod.Get, path, null);
            Assert.InRange((int)answer.StatusCode, 400, 404);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { DefaultRequestHeaders = { Authorization = TestAuthority.Everything } };
        using var request = new HttpRequestMessage(method, new Uri(app.Address, path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new(method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        }

        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await client.SendAsync(request);
    }

    private async Task<string> RawAsync(string head, string? body)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(app.Address.Host, app.Address.Port);
        head = head.Replace("Host: x\r\n", $"Host: x\r\nAuthorization: {TestAuthority.Everything}\r\n", StringComparison.Ordinal);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(body is null ? head : $"{head}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync(timeout.Token);
    }

    private static async Task ShouldBeProblemAsync(HttpResponseMessage answer, int status)
    {
        Assert.Equal((status, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        var problem = await answer.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal((status, true), ((int?)problem!["status"], problem["traceId"] is not null));
    }
}
