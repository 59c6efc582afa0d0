using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using OrderInventory.Console.Access;

namespace OrderInventory.Console.Tests;

/// <summary>How long somebody stays signed in.</summary>
public sealed class SessionsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Provider _provider = new();
    private readonly HttpClient _backchannel;
    private readonly Sessions _sessions;

    public SessionsTests()
    {
        _backchannel = new(_provider);
        var options = new OpenIdConnectOptions
        {
            ClientId = "console",
            ClientSecret = "secret",
            Backchannel = _backchannel,
            ConfigurationManager = new StaticConfigurationManager<OpenIdConnectConfiguration>(new() { TokenEndpoint = "http://provider.example/token" }),
        };
        _sessions = new(new Same(options), _time, NullLogger<Sessions>.Instance);
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_ends_and_once_for_all_pages_of_a_person()
    {
        var user = Begin("first", refresh: "r1");
        Assert.Equal("first", await _sessions.TokenOfAsync(user));
        _time.Advance(TimeSpan.FromSeconds(280));

        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _sessions.TokenOfAsync(user)));

        Assert.All(tokens, token => Assert.Equal("renewed-1", token));
        Assert.Equal(["r1"], _provider.RefreshTokens);
        _time.Advance(TimeSpan.FromSeconds(280));
        Assert.Equal("renewed-2", await _sessions.TokenOfAsync(user));
        // A provider that rotates refresh tokens no longer accepts the old one.
        Assert.Equal(["r1", "next-1"], _provider.RefreshTokens);
    }

    [Fact]
    public async Task Without_a_refresh_token_the_session_ends_with_its_token()
    {
        var user = Begin("only", refresh: null);
        _time.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal("only", await _sessions.TokenOfAsync(user));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await _sessions.TokenOfAsync(user));
        Assert.Empty(_provider.RefreshTokens);
    }

    [Fact]
    public async Task A_session_that_the_provider_refuses_to_renew_ends_with_its_token()
    {
        var user = Begin("first", refresh: "r1");
        _provider.Answers = HttpStatusCode.BadRequest;
        _time.Advance(TimeSpan.FromSeconds(280));
        Assert.Equal("first", await _sessions.TokenOfAsync(user));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(await _sessions.TokenOfAsync(user));
    }

    [Fact]
    public async Task A_session_ends_at_sign_out_and_an_unknown_name_has_no_session()
    {
        var user = Begin("first", refresh: "r1");
        _sessions.End(user);
        Assert.Null(await _sessions.TokenOfAsync(user));
        Assert.Null(await _sessions.TokenOfAsync(User("made up")));
        Assert.Null(await _sessions.TokenOfAsync(null));
    }

    public void Dispose()
    {
        _backchannel.Dispose();
        _provider.Dispose();
    }

    private ClaimsPrincipal Begin(string token, string? refresh) => User(_sessions.Begin(new() { AccessToken = token, RefreshToken = refresh, ExpiresIn = "300" }));

    private static ClaimsPrincipal User(string session) => new(new ClaimsIdentity([new(Sessions.Claim, session)], "test"));

    private sealed class Same(OpenIdConnectOptions options) : IOptionsMonitor<OpenIdConnectOptions>
    {
        public OpenIdConnectOptions CurrentValue => options;

        public OpenIdConnectOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<OpenIdConnectOptions, string?> listener) => null;
    }

    private sealed class Provider : HttpMessageHandler
    {
        public List<string> RefreshTokens { get; } = [];

        public HttpStatusCode Answers { get; set; } = HttpStatusCode.OK;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var form = await request.Content!.ReadAsStringAsync(cancellationToken);
            RefreshTokens.Add(form.Split('&').Single(part => part.StartsWith("refresh_token=", StringComparison.Ordinal))["refresh_token=".Length..]);
            return new(Answers)
            {
                Content = new StringContent($$"""{"access_token": "renewed-{{RefreshTokens.Count}}", "refresh_token": "next-{{RefreshTokens.Count}}", "expires_in": 300}"""),
            };
        }
    }
}
