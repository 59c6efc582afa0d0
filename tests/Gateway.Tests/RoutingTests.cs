using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.Gateway.Tests;

public sealed class RoutingTests(GatewayApp gateway) : IClassFixture<GatewayApp>
{
    [Theory]
    [InlineData("/api/orders", "orders")]
    [InlineData("/api/orders/0199/lines?x=1&y=%C3%A4%2F", "orders")]
    [InlineData("/api/orders/dead-letters", "orders")]
    [InlineData("/api/customers/0199/orders/recent", "orders")]
    [InlineData("/api/customers/0199", "customers")]
    [InlineData("/api/customers?ids=1,2", "customers")]
    [InlineData("/api/inventory/check", "inventory")]
    [InlineData("/api/products", "products")]
    [InlineData("/api/notifications/0199/resend", "notifications")]
    public async Task A_path_goes_to_its_service_unchanged(string path, string service)
    {
        var answer = await gateway.Http.GetFromJsonAsync<JsonNode>(path);

        Assert.Equal(service, (string?)answer!["service"]);
        Assert.Equal(Uri.UnescapeDataString(path), Uri.UnescapeDataString((string)answer["path"]!));
    }

    [Fact]
    public async Task Method_headers_and_body_pass_through()
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/products/0199") { Content = new StringContent("{\"a\":1}", Encoding.UTF8, "application/merge-patch+json") };
        request.Headers.Add("If-Match", "\"7\"");
        request.Headers.Add("Idempotency-Key", "key-1");
        request.Headers.Add("Prefer", "wait=5");

        var answer = await (await gateway.Http.SendAsync(request)).Content.ReadFromJsonAsync<JsonNode>();

        Assert.Equal("PATCH", (string?)answer!["method"]);
        Assert.Equal("{\"a\":1}", (string?)answer["body"]);
        Assert.Equal("\"7\"", (string?)answer["headers"]!["If-Match"]);
        Assert.Equal("key-1", (string?)answer["headers"]!["Idempotency-Key"]);
        Assert.Equal("wait=5", (string?)answer["headers"]!["Prefer"]);
        Assert.StartsWith("application/merge-patch+json", (string?)answer["headers"]!["Content-Type"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_headers_and_problems_of_a_service_pass_through()
    {
        gateway["orders"].Answers["/api/orders/conflict"] = async http =>
        {
            http.Response.StatusCode = 409;
            http.Response.Headers.ETag = "\"3\"";
            http.Response.Headers.Location = "/api/orders/0199";
            http.Response.Headers.RetryAfter = "7";
            http.Response.ContentType = "application/problem+json";
            await http.Response.WriteAsync("""{"type":"/problems/insufficient-stock","traceId":"abc"}""");
        };

        var response = await gateway.Http.GetAsync("/api/orders/conflict");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("\"3\"", response.Headers.ETag!.Tag);
        Assert.Equal("/api/orders/0199", response.Headers.Location!.ToString());
        Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter!.Delta);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("""{"type":"/problems/insufficient-stock","traceId":"abc"}""", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(404)]
    [InlineData(503)]
    public async Task An_answer_without_a_body_stays_without_one(int status)
    {
        gateway["inventory"].Answers[$"/api/inventory/{status}"] = http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        };

        var response = await gateway.Http.GetAsync($"/api/inventory/{status}");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_callers_trace_continues_in_the_service()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders/traced");
        var trace = ActivityTraceId.CreateRandom().ToString();
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");

        // A traced client, as all clients in this process are, would send its own trace header.
        using var untraced = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null })
        {
            BaseAddress = gateway.Http.BaseAddress,
            DefaultRequestHeaders = { Authorization = gateway.Http.DefaultRequestHeaders.Authorization },
        };

        var answer = await (await untraced.SendAsync(request)).Content.ReadFromJsonAsync<JsonNode>();

        Assert.Contains(trace, (string?)answer!["headers"]!["traceparent"], StringComparison.Ordinal);
    }

    [Fact]
    public void The_gateways_timeout_is_longer_than_a_request_waits_for_an_outcome() =>
        Assert.All(SystemRoutes.Clusters, cluster => Assert.True(cluster.HttpRequest!.ActivityTimeout > TimeSpan.FromSeconds(35)));

    [Fact]
    public async Task Unknown_paths_get_the_gateways_own_problem()
    {
        foreach (var path in new[] { "/api/unknown", "/unknown", "/unknown/path" })
        {
            var response = await gateway.Http.GetAsync(path);

            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        }
    }
}
