using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.Gateway.Tests;

/// <summary>The gateway passes on what HTTP allows, and announces when it ends a connection.</summary>
public sealed class HttpRulesTests(GatewayApp gateway) : IClassFixture<GatewayApp>
{
    [Theory]
    [InlineData("User-Agent", "B\u00FCcher/1")]
    [InlineData("Cookie", "shop=Gr\u00F6\u00DFe; x=\u00FF")]
    [InlineData("X-Utf8", "\u00C3\u00BC")]
    public async Task Header_bytes_that_are_not_ascii_pass_unchanged(string name, string value)
    {
        byte[]? seen = null;
        gateway["orders"].Answers["/api/orders/bytes"] = http =>
        {
            seen = Encoding.Latin1.GetBytes(http.Request.Headers[name].ToString());
            http.Response.Headers["X-Answer"] = http.Request.Headers[name].ToString();
            return Task.CompletedTask;
        };

        var answer = await gateway.RawAsync($"GET /api/orders/bytes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{name}: {value}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Equal(Encoding.Latin1.GetBytes(value), seen);
        Assert.Contains($"X-Answer: {value}\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_and_options_reach_the_service()
    {
        gateway["orders"].Answers["/api/orders/methods"] = http =>
        {
            http.Response.Headers.ETag = "\"3\"";
            http.Response.Headers["X-Method"] = http.Request.Method;
            return Task.CompletedTask;
        };
        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Options })
        {
            using var request = new HttpRequestMessage(method, "/api/orders/methods");
            using var answer = await gateway.Http.SendAsync(request);

            Assert.Equal((HttpStatusCode.OK, "\"3\"", method.Method), (answer.StatusCode, answer.Headers.ETag?.Tag, answer.Headers.GetValues("X-Method").Single()));
        }
    }

    [Theory]
    [InlineData("/problems")]
    [InlineData("/problems/not-found")]
    [InlineData("/health")]
    [InlineData("/openapi/orders.json")]
    public async Task Its_own_pages_have_head_and_options(string path)
    {
        using var head = await gateway.Http.SendAsync(new(HttpMethod.Head, path));
        using var options = await gateway.Http.SendAsync(new(HttpMethod.Options, path));
        using var delete = await gateway.Http.DeleteAsync(path);

        Assert.Equal((HttpStatusCode.OK, 0), (head.StatusCode, (await head.Content.ReadAsByteArrayAsync()).Length));
        Assert.Equal((HttpStatusCode.NoContent, "GET, HEAD, OPTIONS"), (options.StatusCode, string.Join(", ", options.Content.Headers.Allow)));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD, OPTIONS"), (delete.StatusCode, string.Join(", ", delete.Content.Headers.Allow)));
        Assert.Equal("application/problem+json", delete.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task A_body_that_is_too_large_announces_the_end_of_the_connection()
    {
        var answer = await gateway.RawAsync("POST /api/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{");

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_does_not_arrive_is_408_and_the_connection_ends()
    {
        var answer = await gateway.RawAsync("POST /api/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_leaves_a_body_unread_ends_the_callers_connection_too()
    {
        gateway["orders"].Answers["/api/orders/unread"] = http =>
        {
            http.Response.StatusCode = 404;
            http.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        };

        using var answer = await gateway.Http.GetAsync("/api/orders/unread");

        Assert.Equal((HttpStatusCode.NotFound, true), (answer.StatusCode, answer.Headers.ConnectionClose));
    }

    [Fact]
    public async Task A_compressed_body_passes_unchanged()
    {
        using var content = new ByteArrayContent([0x1F, 0x8B, 8]);
        content.Headers.ContentEncoding.Add("gzip");
        using var answer = await gateway.Http.PostAsync("/api/products", content);

        Assert.Equal("gzip", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["headers"]!["Content-Encoding"]);
    }
}
