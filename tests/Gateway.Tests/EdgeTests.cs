using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.Gateway.Tests;

/// <summary>Requests that stop at the gateway, and the headers that it sends to browsers.</summary>
public sealed class EdgeTests(GatewayApp gateway) : IClassFixture<GatewayApp>
{
    /// <summary>Kestrel's answer to what is not yet a request, so that none of ours is possible: a status, no body, a closed connection.</summary>
    [Theory]
    [InlineData("GARBAGE\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders HTTP/9.9\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported")]
    [InlineData("GET /api/orders HTTP/1.1\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders HTTP/1.1\r\nHost: a b\r\n\r\n", "400 Bad Request")]
    [InlineData("GET http://b/api/orders HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request")]
    [InlineData("GET ftp://a/api/orders HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders/%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders/\0 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "400 Bad Request")]
    [InlineData("GET /api/orders HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\nabcd", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, xchunked\r\n\r\nabcd", "400 Bad Request")]
    [InlineData("POST /api/orders HTTP/1.0\r\n\r\nabc", "400 Bad Request")]
    public async Task A_request_that_is_not_http_gets_a_status_and_a_closed_connection(string request, string status)
    {
        var answer = await gateway.RawAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("line", "414 URI Too Long")]
    [InlineData("value", "431 Request Header Fields Too Large")]
    [InlineData("count", "431 Request Header Fields Too Large")]
    public async Task A_flood_of_headers_gets_a_status_and_a_closed_connection(string flood, string status)
    {
        var answer = await gateway.RawAsync(flood switch
        {
            "line" => $"GET /{new string('a', 9000)} HTTP/1.1\r\nHost: a\r\n\r\n",
            "value" => $"GET /api/orders HTTP/1.1\r\nHost: a\r\nX: {new string('a', 33_000)}\r\n\r\n",
            _ => $"GET /api/orders HTTP/1.1\r\nHost: a\r\n{string.Concat(Enumerable.Range(0, 101).Select(i => $"X-{i}: 1\r\n"))}\r\n",
        });

        Assert.StartsWith($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/orders/../../health")]
    [InlineData("/api/orders/./x")]
    [InlineData("/api/orders/%2e%2e/%2e%2e/health")]
    [InlineData("/api/orders/.%2E/.%2e/health")]
    [InlineData("/api/orders/..%2f..%2fhealth")]
    [InlineData("/api/orders/%2fhealth")]
    [InlineData("/api/orders/%252e%252e/%252e%252e/health")]
    [InlineData("/api/orders/%252fhealth")]
    [InlineData("/api/orders/..%255c..%255chealth")]
    [InlineData("/api/orders/..\\..\\health")]
    [InlineData("/api/orders/%5chealth")]
    [InlineData("//health")]
    [InlineData("/api//orders")]
    [InlineData("/api/orders//")]
    [InlineData("http://a/api/orders/../../health")]
    [InlineData("http://a//health")]
    [InlineData("/api/orders/a%0d%0aX:%20b")]
    [InlineData("/api/orders/%7f")]
    [InlineData("/api/orders/%zz")]
    [InlineData("/api/orders/%")]
    [InlineData("/api/orders/%2")]
    public async Task An_ambiguous_path_is_refused(string target)
    {
        var answer = await gateway.RawAsync($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");

        AssertRefused(answer, "path");
    }

    [Theory]
    [InlineData("/api/orders", "/api/orders")]
    [InlineData("/api/orders/", "/api/orders/")]
    [InlineData("http://a/api/orders?x=%2F%00..//", "/api/orders?x=%2F%00..//")]
    [InlineData("/api/orders/..;/..;/health", "/api/orders/..;/..;/health")]
    [InlineData("/api/orders/%3B..%3B", "/api/orders/;..;")]
    [InlineData("/api/orders/%E6%9D%B1%20x", "/api/orders/\u6771 x")]
    [InlineData("/api/orders/a.b..c", "/api/orders/a.b..c")]
    public async Task An_unambiguous_path_reaches_its_service(string target, string path)
    {
        var answer = await gateway.RawAsync($"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Equal(path, (string?)JsonNode.Parse(Encoding.Latin1.GetBytes(answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)]))!["path"]);
    }

    [Theory]
    [InlineData("/health/../orders")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/openapi/gateway.json")]
    [InlineData("/api/health")]
    [InlineData("/api")]
    [InlineData("/orders/health")]
    [InlineData("/api/gateway")]
    [InlineData("/api/ordersx")]
    public async Task What_is_not_routed_reaches_no_service(string path)
    {
        var answer = await gateway.RawAsync($"GET {path} HTTP/1.1\r\nHost: orders\r\nX-Forwarded-Host: orders\r\nX-Original-URL: /api/orders\r\nX-Rewrite-URL: /api/orders\r\nConnection: close\r\n\r\n");

        Assert.DoesNotContain("\"service\":", answer, StringComparison.Ordinal);
        Assert.Matches("^HTTP/1.1 40[04] ", answer);
    }

    [Fact]
    public async Task A_length_together_with_chunks_is_refused_and_what_follows_is_not_read()
    {
        var asked = 0;
        gateway["orders"].Answers["/api/orders/smuggled"] = _ =>
        {
            Interlocked.Increment(ref asked);
            return Task.CompletedTask;
        };

        var answer = await gateway.RawAsync(
            "POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + "GET /api/orders/smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        AssertRefused(answer, "Content-Length");
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.Equal(0, asked);
    }

    [Fact]
    public async Task A_broken_chunk_is_400_and_ends_the_connection()
    {
        var answer = await gateway.RawAsync("POST /api/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\nGET /api/orders HTTP/1.1\r\nHost: a\r\n\r\n");

        AssertRefused(answer, "$");
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
    }

    [Theory]
    [InlineData("X-Correlation-Id", "0199-a_b.C", true)]
    [InlineData("X-Request-Id", "7", true)]
    [InlineData("X-Correlation-Id", "", false)]
    [InlineData("X-Correlation-Id", "a b", false)]
    [InlineData("X-Correlation-Id", "a\u001b[31m", false)]
    [InlineData("X-Correlation-Id", "\u00e9", false)]
    [InlineData("X-Request-Id", "${jndi:ldap://x}", false)]
    [InlineData("X-Request-Id", "<script>", false)]
    public async Task A_callers_id_is_passed_on_when_it_is_safe_for_any_log(string name, string id, bool passes)
    {
        var answer = await gateway.RawAsync($"GET /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{name}: {id}\r\n\r\n");

        if (passes)
        {
            Assert.Contains($"\"{name}\":\"{id}\"", answer, StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            AssertRefused(answer, name);
        }
    }

    [Fact]
    public async Task A_callers_id_has_a_maximum_length()
    {
        var longest = new string('a', Edge.MaxCallersId);

        Assert.StartsWith("HTTP/1.1 200 ", await gateway.RawAsync($"GET /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: {longest}\r\n\r\n"), StringComparison.Ordinal);
        AssertRefused(await gateway.RawAsync($"GET /api/orders HTTP/1.1\r\nHost: a\r\nX-Request-Id: {longest}a\r\n\r\n"), "X-Request-Id");
        AssertRefused(await gateway.RawAsync("GET /api/orders HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n"), "X-Request-Id");
    }

    [Fact]
    public async Task A_callers_baggage_is_not_passed_on()
    {
        var answer = await gateway.RawAsync(
            "GET /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nbaggage: secret=planted\r\n\r\n");

        Assert.Contains("0af7651916cd43dd8448eb211c80319c", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("planted", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forwarding_headers_are_trusted_only_when_configured()
    {
        var answer = await gateway.RawAsync(
            "GET /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Prefix: /x\r\n\r\n");

        Assert.Contains("\"X-Forwarded-For\":\"127.0.0.1\"", answer, StringComparison.Ordinal);
        Assert.Contains("\"X-Forwarded-Host\":\"a\"", answer, StringComparison.Ordinal);
        Assert.Contains("\"X-Forwarded-Proto\":\"http\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Prefix", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Strict-Transport-Security", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/orders", "default-src 'none'; frame-ancestors 'none'")]
    [InlineData("/unknown", "default-src 'none'; frame-ancestors 'none'")]
    [InlineData("/", "script-src 'self'")]
    public async Task Every_answer_has_the_security_headers_for_browsers(string path, string policy)
    {
        using var answer = await gateway.Http.GetAsync(path);

        Assert.Contains(policy, answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(answer.Headers.Contains("Server") && path != "/api/orders");
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_service_cannot_weaken_them()
    {
        gateway["orders"].Answers["/api/orders/loose"] = http =>
        {
            http.Response.Headers.XFrameOptions = "ALLOWALL";
            http.Response.Headers.ContentSecurityPolicy = "default-src *";
            return Task.CompletedTask;
        };

        using var answer = await gateway.Http.GetAsync("/api/orders/loose");

        Assert.Equal(("DENY", "default-src 'none'; frame-ancestors 'none'"), (answer.Headers.GetValues("X-Frame-Options").Single(), answer.Headers.GetValues("Content-Security-Policy").Single()));
    }

    private static void AssertRefused(string answer, string part)
    {
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/problem+json\r\n", answer, StringComparison.Ordinal);
        Assert.Contains($"\"errors\":{{\"{part}\":", answer, StringComparison.Ordinal);
    }
}
