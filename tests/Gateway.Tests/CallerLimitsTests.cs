using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Gateway.Tests;

[CollectionDefinition("infrastructure")]
public sealed class InfrastructureCollection : ICollectionFixture<InfrastructureFixture>;

[Collection("infrastructure")]
public sealed class CallerLimitsTests(InfrastructureFixture servers) : IAsyncLifetime
{
    private readonly List<GatewayApp> _gateways = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_caller_over_the_limit_gets_429_with_Retry_After()
    {
        var gateway = await StartAsync(burst: 3, shared: false);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, "ann"));
        }

        using var refused = await SendAsync(gateway, "ann");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        var problem = await refused.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal(("/problems/too-many-requests", 429, true), ((string?)problem!["type"], (int?)problem["status"], problem["traceId"] is not null));

        // Another caller has another bucket, callers without a token have one too, and the orchestrator is never refused.
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, "bob"));
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(i < 3 ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests, await AskAsync(gateway, null));
        }

        foreach (var _ in Enumerable.Range(0, 10))
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.Http.GetAsync("/alive")).StatusCode);
        }
    }

    [Fact]
    public async Task The_address_is_the_one_that_the_configured_proxy_reports()
    {
        var gateway = await StartAsync(burst: 1, shared: false, ("Gateway:Proxies", "127.0.0.1"));

        Assert.Equal(HttpStatusCode.Unauthorized, await AskFromAsync("203.0.113.9"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskFromAsync("203.0.113.9"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskFromAsync("203.0.113.10"));
        // One subscriber's IPv6 network is one caller.
        Assert.Equal(HttpStatusCode.Unauthorized, await AskFromAsync("2001:db8:1:2::1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskFromAsync("2001:db8:1:2:ffff::9"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskFromAsync("2001:db8:1:3::1"));

        async Task<HttpStatusCode> AskFromAsync(string address)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders");
            request.Headers.Add("X-Forwarded-For", address);
            using var client = new HttpClient { BaseAddress = gateway.Http.BaseAddress };
            using var answer = await client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Several_gateways_count_together_and_each_for_itself_when_redis_is_down()
    {
        var gateways = new[] { await StartAsync(burst: 4, shared: true), await StartAsync(burst: 4, shared: true) };
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add(await AskAsync(gateways[i % 2], "eve"));
        }

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.OK, 4), .. Enumerable.Repeat(HttpStatusCode.TooManyRequests, 2)], answers);
        using (var refused = await SendAsync(gateways[0], "eve"))
        {
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(2));
        }

        await servers.Runner.StopAsync("redis");
        try
        {
            foreach (var gateway in gateways)
            {
                answers.Clear();
                for (var i = 0; i < 5; i++)
                {
                    answers.Add(await AskAsync(gateway, "eve"));
                }

                Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.OK, 4), HttpStatusCode.TooManyRequests], answers);
            }
        }
        finally
        {
            await servers.Runner.StartAsync("redis");
        }
    }

    [Fact]
    public async Task A_gateway_with_an_invalid_limit_does_not_start() =>
        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(burst: 0, shared: false));

    private async Task<GatewayApp> StartAsync(int burst, bool shared, params (string Key, string Value)[] more)
    {
        var gateway = new GatewayApp
        {
            Settings =
            {
                ["Gateway:RateLimit:Burst"] = $"{burst}",
                // No token is added during a test.
                ["Gateway:RateLimit:Tokens"] = "1",
                ["Gateway:RateLimit:Period"] = "01:00:00",
                ["Gateway:RateLimit:Shared"] = $"{shared}",
                // Longer than the first call takes on a busy machine.
                ["Gateway:RateLimit:RedisTimeout"] = "00:00:10",
                ["ConnectionStrings:redis"] = servers.Redis,
            },
        };
        foreach (var (key, value) in more)
        {
            gateway.Settings[key] = value;
        }

        _gateways.Add(gateway);
        await gateway.InitializeAsync();
        return gateway;
    }

    private static async Task<HttpStatusCode> AskAsync(GatewayApp gateway, string? caller)
    {
        using var answer = await SendAsync(gateway, caller);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayApp gateway, string? caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders");
        if (caller is not null)
        {
            request.Headers.Authorization = new("Bearer", TestAuthority.Shared.Token(caller, ["admin"]));
        }

        // Without the token that the tests' client sends by default.
        using var client = new HttpClient { BaseAddress = gateway.Http.BaseAddress };
        return await client.SendAsync(request);
    }
}
