using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Identity;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>A service's own token: requested once, renewed before it expires, and used while it is valid when the provider is down.</summary>
[Collection(ProductsCollection.Name)]
public sealed class ServiceTokensTests(ProductsApp app)
{
    private const string Endpoint = "/connect/token";

    [Fact]
    public async Task Is_requested_once_for_all_waiting_callers_and_cached()
    {
        await using var bed = await TestBed.StartAsync();

        var first = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => bed.GetAsync()));
        bed.Clock.Offset = TimeSpan.FromSeconds(3600 * 0.74);
        var later = await bed.GetAsync();

        Assert.Single(first.Append(later).Distinct());
        Assert.Equal(1, bed.Authority.RequestCount(Endpoint));
    }

    [Fact]
    public async Task Is_renewed_before_it_expires_without_delaying_callers()
    {
        await using var bed = await TestBed.StartAsync();
        var first = await bed.GetAsync();

        bed.Clock.Offset = TimeSpan.FromSeconds(3600 * 0.76);
        // The old token, immediately; the new one is being fetched.
        Assert.Equal(first, await bed.GetAsync());
        await Eventually.TrueAsync(async () => await bed.GetAsync() != first, TimeSpan.FromSeconds(30), "the new token is in use");

        Assert.Equal(2, bed.Authority.RequestCount(Endpoint));
    }

    [Fact]
    public async Task Is_used_until_it_expires_while_the_provider_is_down()
    {
        await using var bed = await TestBed.StartAsync();
        var first = await bed.GetAsync();
        await bed.Authority.StopAsync();

        bed.Clock.Offset = TimeSpan.FromSeconds(3600 - 60);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(first, await bed.GetAsync());
        }

        bed.Clock.Offset = TimeSpan.FromSeconds(3600 - 4);
        await Assert.ThrowsAsync<HttpRequestException>(bed.GetAsync);

        bed.Authority.Start();
        bed.Clock.Offset += TimeSpan.FromSeconds(2);
        Assert.NotEqual(first, await bed.GetAsync());
    }

    // Fails when calls carry no token, or the caller's.
    [Fact]
    public async Task Replaces_the_callers_token_in_each_call_to_another_service()
    {
        var product = (await app.CreateAsync()).Json;
        var address = $"/api/products/{product["id"]}";

        (await app.Api.DeleteAsync(address, ("If-Match", "\"1\""))).ShouldBe(204);

        var sent = new JsonWebToken(app.Orders.LastAuthorization!["Bearer ".Length..]);
        Assert.Equal(("service:test", "service"), (sent.Subject, sent.GetClaim("roles").Value));
    }

    // Fails when a provider that is down, or refuses this service, is reported as the caller's fault or as a defect.
    [Fact]
    public async Task Without_one_a_call_that_needs_another_service_is_503()
    {
        await using var authority = new TestAuthority();
        await using var service = app.StartTrusting(authority, ("Authentication:ClientId", ""));
        var product = (await app.CreateAsync()).Json;

        (await service.Api.DeleteAsync($"/api/products/{product["id"]}", ("If-Match", "\"1\""), ("Authorization", "Bearer " + authority.Token("tester", ["admin"])))).ShouldBeProblem(503, "dependency-unavailable");
        (await app.Api.GetAsync($"/api/products/{product["id"]}")).ShouldBe(200);
    }

    /// <summary>A service with ServiceDefaults, a clock of the test and its own provider.</summary>
    private sealed class TestBed : IAsyncDisposable
    {
        private readonly WebApplication _service;

        private TestBed(WebApplication service) => _service = service;

        public TestAuthority Authority { get; private init; } = null!;

        public ShiftedClock Clock { get; private init; } = null!;

        public static async Task<TestBed> StartAsync()
        {
            var (authority, clock) = (new TestAuthority(), new ShiftedClock());
            var builder = WebApplication.CreateBuilder();
            builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
            builder.Configuration.AddInMemoryCollection(authority.Settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)));
            builder.AddServiceDefaults();
            builder.Services.AddSingleton<TimeProvider>(clock);
            var service = builder.Build();
            service.MapServiceDefaults();
            await service.StartAsync();
            return new(service) { Authority = authority, Clock = clock };
        }

        public async Task<string> GetAsync() => await _service.Services.GetRequiredService<ServiceTokens>().GetAsync(CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await _service.DisposeAsync();
            await Authority.DisposeAsync();
        }
    }
}
