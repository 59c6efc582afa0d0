using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Rules for every endpoint of every service, tested on this one; EndToEnd tests the rules on all operations.</summary>
[Collection(ProductsCollection.Name)]
public sealed class HttpRulesTests(ProductsApp app)
{
    [Theory]
    [InlineData("application/json; charset=\"utf-8\"", 201)]
    [InlineData("application/json; charset=UTF-8", 201)]
    [InlineData("Application/JSON;charset=\"Utf-8\"; x=\"a;b\"", 201)]
    [InlineData("application/json; charset=us-ascii", 201)]
    [InlineData("application/json; charset=utf8", 415)]
    [InlineData("application/json; charset=\"klingon\"", 415)]
    [InlineData("application/json; charset=iso-8859-1", 415)]
    [InlineData("application/json; charset=utf-8; charset=utf-16", 415)]
    [InlineData("application/json; charset=", 415)]
    public async Task A_charset_is_utf8_quoted_or_not(string contentType, int status)
    {
        var answer = await SendAsync(HttpMethod.Post, "/api/products", NewProduct(), contentType);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.True(status == 201 || answer.Content.Headers.ContentType!.MediaType == "application/problem+json");
    }

    [Theory]
    [InlineData("text/csv; charset=\"UTF-8\"", 200)]
    [InlineData("text/csv; header=present; charset=utf-8", 200)]
    [InlineData("text/csv; charset=windows-1252", 415)]
    [InlineData("application/x-ndjson; charset=\"utf8\"", 415)]
    public async Task A_charset_of_an_import_too(string contentType, int status) =>
        Assert.Equal(status, (int)(await SendAsync(HttpMethod.Post, "/api/products/import", Encoding.UTF8.GetBytes("sku,name,price,currency\n"), contentType)).StatusCode);

    [Fact]
    public async Task A_body_may_be_gzip()
    {
        var answer = await SendAsync(HttpMethod.Post, "/api/products", Gzip(NewProduct()), "application/json", ("Content-Encoding", "GZip"));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task An_import_may_be_gzip_and_a_wrong_coding_is_found()
    {
        var rows = Encoding.UTF8.GetBytes($"sku,name,price,currency\n{ProductsApp.NewSku()},Chai,18,EUR\n");
        var answer = await SendAsync(HttpMethod.Post, "/api/products/import", Gzip(rows), "text/csv", ("Content-Encoding", "gzip"));
        var broken = await SendAsync(HttpMethod.Post, "/api/products/import", rows, "text/csv", ("Content-Encoding", "gzip"));

        Assert.Contains("\"created\":1", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    [InlineData("x-bogus")]
    public async Task Another_coding_is_415_and_says_which_there_is(string coding)
    {
        var answer = await SendAsync(HttpMethod.Post, "/api/products", NewProduct(), "application/json", ("Content-Encoding", coding));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Equal("gzip", answer.Headers.NonValidated["Accept-Encoding"].ToString());
    }

    [Fact]
    public async Task A_plain_body_that_calls_itself_gzip_is_400() =>
        await ShouldBeMalformedAsync(await SendAsync(HttpMethod.Post, "/api/products", NewProduct(), "application/json", ("Content-Encoding", "gzip")), "$");

    [Theory]
    [InlineData("POST", "/api/products", "application/json")]
    [InlineData("PATCH", "/api/products/01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "application/merge-patch+json")]
    public async Task A_small_body_that_grows_beyond_the_limit_is_413(string method, string path, string contentType)
    {
        var bomb = Gzip(Encoding.UTF8.GetBytes($"{{\"name\": \"{new string('x', 2_000_000)}\"}}"));

        var answer = await SendAsync(new(method), path, bomb, contentType, ("Content-Encoding", "gzip"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Bytes_that_are_not_utf8_are_400_in_a_patch_too()
    {
        var product = await app.CreateAsync();
        var latin = Encoding.Latin1.GetBytes("""{"name": "Müller"}""");

        var patch = await SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", latin, "application/merge-patch+json", product.IfMatch);
        var post = await SendAsync(HttpMethod.Post, "/api/products", Encoding.Latin1.GetBytes(ProductsApp.NewProduct().ToJsonString().Replace("Chai", "Müller", StringComparison.Ordinal)), "application/json");

        await ShouldBeMalformedAsync(patch, "$");
        Assert.Equal(HttpStatusCode.BadRequest, post.StatusCode);
        Assert.Equal("Chai", (string?)(await app.Api.GetAsync($"/api/products/{product.Id}")).Json["name"]);
    }

    [Theory]
    [InlineData("""{"name": "A", "name": "B"}""")]
    [InlineData("""{"name": "A", "n\u0061me": "B"}""")]
    [InlineData("""{"name": "A"} x""")]
    [InlineData("""{"name": "A"}{}""")]
    [InlineData("""{"attributes": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {"l": {"m": {"n": {"o": {"p": {"q": {"r": {"s": {"t": {"u": {"v": {"w": {"x": {"y": {"z": {"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}""")]
    [InlineData("")]
    public async Task A_patch_is_read_as_strictly_as_any_body(string patch)
    {
        var product = await app.CreateAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", Encoding.UTF8.GetBytes(patch), "application/merge-patch+json", product.IfMatch)).StatusCode);
    }

    [Fact]
    public async Task A_byte_order_mark_is_ignored_everywhere()
    {
        byte[] mark = [0xEF, 0xBB, 0xBF];
        var product = await app.CreateAsync();

        var post = await SendAsync(HttpMethod.Post, "/api/products", [.. mark, .. NewProduct()], "application/json");
        var patch = await SendAsync(HttpMethod.Patch, $"/api/products/{product.Id}", [.. mark, .. """{"name": "Chang"}"""u8], "application/merge-patch+json", product.IfMatch);

        Assert.Equal(HttpStatusCode.Created, post.StatusCode);
        Assert.Equal(HttpStatusCode.OK, patch.StatusCode);
    }

    [Fact]
    public async Task A_name_with_the_replacement_character_survives_a_csv_file()
    {
        var product = (await app.CreateAsync(p => p["name"] = "A\uFFFDB")).Json;
        var csv = await SendAsync(HttpMethod.Get, $"/api/products/export?sku={product["sku"]}", null, null, ("Accept", "text/csv"));

        var answer = await SendAsync(HttpMethod.Post, "/api/products/import", await csv.Content.ReadAsByteArrayAsync(), "text/csv");

        Assert.Contains("\"failed\":0", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_is_not_utf8_is_a_bad_row()
    {
        var rows = Encoding.Latin1.GetBytes($"sku,name,price,currency\n{ProductsApp.NewSku()},Müller,18,EUR\n{ProductsApp.NewSku()},Chai,18,EUR\n");

        var answer = await (await SendAsync(HttpMethod.Post, "/api/products/import", rows, "text/csv")).Content.ReadAsStringAsync();

        Assert.Contains("\"created\":1", answer, StringComparison.Ordinal);
        Assert.Contains("\"failed\":1", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_null_in_a_map_is_400() =>
        (await app.Api.PostAsync("/api/products", Change(p => p["attributes"] = new JsonObject { ["a"] = "b", ["c"] = null }))).ShouldBeMalformed("$.attributes.c");

    [Theory]
    [InlineData("2026-11-28")]
    [InlineData("2026-11-28T08:00")]
    [InlineData("2026-11-28T08:00Z")]
    [InlineData("2026-11-28T08:00:00")]
    [InlineData("2026-11-28 08:00:00Z")]
    [InlineData("2026-11-28T08:00:00+25:00")]
    [InlineData("2026-06-30T23:59:60Z")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("\\ud800")]
    [InlineData("")]
    public async Task A_time_in_a_body_is_one_of_rfc3339_with_its_zone_or_400(string time) =>
        (await app.Api.PostAsync("/api/products/dead-letters/discard", $$"""{"createdTo": "{{time}}"}""")).ShouldBeMalformed("$.createdTo");

    [Theory]
    [InlineData("2026-11-28T08:00:00Z")]
    [InlineData("2026-11-28t08:00:00.123456789+05:30")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    public async Task A_time_with_its_zone_is_accepted(string time) =>
        (await app.Api.PostAsync("/api/products/dead-letters/replay", $$"""{"createdTo": "{{time}}", "topic": "none"}""")).ShouldBe(200);

    [Theory]
    [InlineData("Discontinued")]
    [InlineData("DISCONTINUED")]
    [InlineData(" discontinued")]
    [InlineData("discontinued,discontinued")]
    [InlineData("1")]
    [InlineData("")]
    public async Task An_enumeration_value_in_a_body_needs_its_documented_spelling(string word)
    {
        var product = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/products/{product.Id}", $$"""{"status": "{{word}}"}""", product.IfMatch)).ShouldBeMalformed("$.status");
        (await app.Api.PatchAsync($"/api/products/{product.Id}", """{"status": "discontinued"}""", product.IfMatch)).ShouldBe(200);
    }

    [Fact]
    public async Task Head_answers_as_get_without_a_body()
    {
        var product = await app.CreateAsync();
        foreach (var path in new[] { $"/api/products/{product.Id}", "/api/products", "/api/products/export", $"/api/products/{Guid.CreateVersion7()}", "/api/products?limit=0", "/api/products/dead-letters", "/openapi/v1.json", "/health" })
        {
            var get = await SendAsync(HttpMethod.Get, path, null, null);
            var head = await SendAsync(HttpMethod.Head, path, null, null);

            Assert.Equal((path, get.StatusCode, get.Headers.ETag?.Tag, get.Content.Headers.ContentType?.ToString()), (path, head.StatusCode, head.Headers.ETag?.Tag, head.Content.Headers.ContentType?.ToString()));
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }

        var current = await SendAsync(HttpMethod.Head, $"/api/products/{product.Id}", null, null, ("If-None-Match", product.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, current.StatusCode);
    }

    [Theory]
    [InlineData("/api/products", "GET, HEAD, OPTIONS, POST")]
    [InlineData("/api/products/01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")]
    [InlineData("/api/products/import", "OPTIONS, POST")]
    [InlineData("/health", "GET, HEAD, OPTIONS")]
    public async Task Options_and_405_say_what_is_allowed(string path, string allow)
    {
        var options = await SendAsync(HttpMethod.Options, path, null, null);
        var trace = await SendAsync(HttpMethod.Trace, path, null, null);

        Assert.Equal(HttpStatusCode.NoContent, options.StatusCode);
        Assert.Equal(allow, string.Join(", ", options.Content.Headers.Allow.Order(StringComparer.Ordinal)));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, trace.StatusCode);
        Assert.Equal(allow, string.Join(", ", trace.Content.Headers.Allow.Order(StringComparer.Ordinal)));
        Assert.Equal("application/problem+json", trace.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("18.00", "18")]
    [InlineData("18.00", "1.8e1")]
    [InlineData("18", "18.0000")]
    [InlineData("0.5", "5e-1")]
    public async Task Equal_amounts_are_one_request(string first, string second)
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var sku = ProductsApp.NewSku();
        string Body(string amount) => $$"""{"sku": "{{sku}}", "name": "Chai", "price": {"amount": {{amount}}, "currency": "EUR"} }""";

        var made = (await app.Api.PostAsync("/api/products", Body(first), key)).ShouldBe(201);
        var again = (await app.Api.PostAsync("/api/products", Body(second), key)).ShouldBe(201);
        Assert.Equal(made.Id, again.Id);
        (await app.Api.PostAsync("/api/products", Body("18.01"), key)).ShouldBeProblem(422, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_key_that_an_earlier_version_has_stored_is_still_valid()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var body = ProductsApp.NewProduct().ToJsonString().Replace(":18,", ":18.00,", StringComparison.Ordinal);
        var made = (await app.Api.PostAsync("/api/products", body, key)).ShouldBe(201);
        // As an earlier version wrote it: the parsed request with its numbers as received.
        var json = JsonNode.Parse(body)!.AsObject();
        var earlier = $$$"""{"sku":"{{{json["sku"]}}}","name":"Chai","price":{"amount":18.00,"currency":"EUR"},"description":"10 boxes x 20 bags","category":"beverages","attributes":{},"variantOf":null}""";
        Assert.Equal(1, await app.CountAsync(
            "WITH changed AS (UPDATE idempotency_keys SET fingerprint = sha256(convert_to($1, 'UTF8')) WHERE key = $2 RETURNING 1) SELECT count(*) FROM changed", earlier, key.Item2));

        Assert.Equal(made.Id, (await app.Api.PostAsync("/api/products", body, key)).ShouldBe(201).Id);
    }

    [Theory]
    [InlineData("schlüssel")]
    [InlineData("schl\u00A0ssel")]
    [InlineData("a\tb")]
    public async Task A_key_that_is_not_printable_ascii_is_400(string key) =>
        await ShouldBeMalformedAsync(await SendAsync(HttpMethod.Post, "/api/products", NewProduct(), "application/json", ("Idempotency-Key", key)), "Idempotency-Key");

    [Theory]
    [InlineData("User-Agent", "Bücher/1")]
    [InlineData("Cookie", "shop=Größe; x=\u00ff")]
    [InlineData("Accept-Language", "é")]
    [InlineData("tracestate", "v=ü")]
    public async Task Header_bytes_that_are_not_ascii_do_no_harm(string name, string value) =>
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, "/api/products", null, null, (name, value))).StatusCode);

    [Fact]
    public async Task A_trace_state_that_is_not_ascii_is_passed_to_other_services()
    {
        var product = await app.CreateAsync();
        var trace = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        var answer = await SendAsync(HttpMethod.Delete, $"/api/products/{product.Id}", null, null, product.IfMatch, trace, ("tracestate", "v=ü"));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Theory]
    [InlineData("/api/products", 413)]
    [InlineData("/api/nothing", 404)]
    [InlineData("/api/products/export", 405)]
    [InlineData("/api/products?x=1", 400)]
    public async Task An_answer_to_a_largely_unread_body_announces_the_end_of_the_connection(string path, int status)
    {
        foreach (var chunked in new[] { false, true })
        {
            using var content = new ByteArrayContent([.. Enumerable.Repeat((byte)' ', (1024 * 1024) + 1)]);
            content.Headers.ContentType = new("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.Address, path)) { Content = content };
            request.Headers.TransferEncodingChunked = chunked;
            // A client that is still sending might find the connection closed before it reads the answer.
            request.Headers.ExpectContinue = true;
            using var client = NewClient();
            using var answer = await client.SendAsync(request);

            Assert.Equal((chunked, status, true), (chunked, (int)answer.StatusCode, answer.Headers.ConnectionClose == true));
        }
    }

    [Fact]
    public async Task A_refusal_keeps_the_connection_when_the_body_was_read()
    {
        using var client = NewClient();
        using var answer = await client.PostAsync(new Uri(app.Address, "/api/products"), new StringContent("{", Encoding.UTF8, "application/json"));

        Assert.Equal((HttpStatusCode.BadRequest, null), (answer.StatusCode, answer.Headers.ConnectionClose));
    }

    [Theory]
    [InlineData("POST", "/api/products", "application/json")]
    [InlineData("PATCH", "/api/products/01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "application/merge-patch+json")]
    [InlineData("POST", "/api/products/import", "text/csv")]
    public async Task A_body_that_does_not_arrive_is_408(string method, string path, string contentType)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(app.Address.Host, app.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {TestAuthority.Everything}\r\nContent-Type: {contentType}\r\nContent-Length: 100\r\n\r\n{{"));
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var reader = new StreamReader(client.GetStream());

        // The read ends because the connection is closed.
        var answer = await reader.ReadToEndAsync(timeout.Token);

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\"/problems/request-timeout\"", answer, StringComparison.Ordinal);
    }

    private static byte[] NewProduct() => Encoding.UTF8.GetBytes(ProductsApp.NewProduct().ToJsonString());

    private static string Change(Action<JsonObject> change)
    {
        var product = ProductsApp.NewProduct();
        change(product);
        return product.ToJsonString();
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }

    private static HttpClient NewClient() =>
        new(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1, ActivityHeadersPropagator = null })
        {
            DefaultRequestHeaders = { Authorization = TestAuthority.Everything },
        };

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body, string? contentType, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(app.Address, path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var client = NewClient();
        return await client.SendAsync(request);
    }

    private static async Task ShouldBeMalformedAsync(HttpResponseMessage answer, string path)
    {
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["errors"]!.AsObject().ContainsKey(path));
    }
}
