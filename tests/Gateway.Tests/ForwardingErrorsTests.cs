using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.Gateway.Tests;

public sealed class ForwardingErrorsTests : IAsyncLifetime
{
    private readonly GatewayApp _gateway = new();

    public Task InitializeAsync() => _gateway.InitializeAsync();

    public Task DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task A_service_that_is_down_is_503_and_recovers_by_itself()
    {
        await _gateway["orders"].StopAsync();

        var response = await _gateway.Http.GetAsync("/api/orders");

        var problem = await AssertUnavailableAsync(response);
        Assert.Equal("/api/orders", (string?)problem["instance"]);
        Assert.Contains("orders", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Http.GetAsync("/api/products")).StatusCode);

        await _gateway["orders"].StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Http.GetAsync("/api/orders")).StatusCode);
    }

    [Fact]
    public async Task A_service_that_breaks_off_is_503_and_its_outcome_unknown()
    {
        using var broken = await _gateway["orders"].BreakAsync();

        var response = await _gateway.Http.PostAsJsonAsync("/api/orders", new { });

        var problem = await AssertUnavailableAsync(response);
        Assert.Contains("unknown", (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_that_is_too_large_is_413(bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/products");
        request.Content = chunked ? new StreamContent(new Unknown(new byte[1024 * 1024 + 1])) : new ByteArrayContent(new byte[1024 * 1024 + 1]);
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = chunked;

        var response = await _gateway.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal("/problems/body-too-large", (string?)problem!["type"]);
        Assert.NotNull(problem["traceId"]);
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_passes()
    {
        using var content = new ByteArrayContent(new byte[1024 * 1024]);

        Assert.Equal(HttpStatusCode.OK, (await _gateway.Http.PostAsync("/api/products", content)).StatusCode);
    }

    [Theory]
    [InlineData("products", false)]
    [InlineData("products", true)]
    [InlineData("inventory", false)]
    [InlineData("inventory", true)]
    public async Task An_import_may_be_larger(string service, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{service}/import");
        request.Content = chunked ? new StreamContent(new Unknown(new byte[3 * 1024 * 1024])) : new ByteArrayContent(new byte[3 * 1024 * 1024]);
        request.Headers.TransferEncodingChunked = chunked;

        Assert.Equal(HttpStatusCode.OK, (await _gateway.Http.SendAsync(request)).StatusCode);
    }

    private static async Task<JsonNode> AssertUnavailableAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal("/problems/dependency-unavailable", (string?)problem!["type"]);
        Assert.Equal(503, (int?)problem["status"]);
        Assert.NotNull(problem["traceId"]);
        return problem;
    }

    /// <summary>A stream that does not report its length.</summary>
    private sealed class Unknown(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
