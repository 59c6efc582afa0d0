using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrderInventory.ServiceDefaults;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>Which tokens are accepted and which are not. One service stands for all: the code is in ServiceDefaults.</summary>
[Collection(ProductsCollection.Name)]
public sealed class TokenTests(ProductsApp app)
{
    private const string Path = "/api/products";
    private static readonly DateTime s_now = TimeProvider.System.GetUtcNow().UtcDateTime;

    private static TestAuthority Authority => TestAuthority.Shared;

    public static TheoryData<string> Bad =>
    [
        "expired", "not yet valid", "without an end", "wrong issuer", "wrong audience", "no audience", "alg none", "HMAC with the public key", "HMAC with the modulus",
        "unknown kid", "another key with a known kid", "RS512", "logout token", "without a subject", "a subject with a line break", "an endless subject", "oversized", "cut off", "garbage", "empty",
        "two tokens", "changed claims",
    ];

    public static TheoryData<string> Good => ["one role as a string", "roles as an array", "two audiences", "typ JWT", "no typ", "ES256", "expired within the skew"];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Returns_401_with_what_is_wrong(string kind)
    {
        var answer = (await SendAsync("Bearer " + MakeBad(kind))).ShouldBeProblem(401, "not-authenticated");

        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        Assert.True(kind == "empty" || answer.Headers.WwwAuthenticate.Single().Parameter!.StartsWith("error=\"invalid_token\"", StringComparison.Ordinal), answer.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Basic dGVzdGVyOnRlc3Rlcg==")]
    [InlineData("nothing")]
    public async Task Returns_401_without_a_token(string? authorization)
    {
        var answer = (await SendAsync(authorization)).ShouldBeProblem(401, "not-authenticated");

        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().ToString());
    }

    [Theory]
    [MemberData(nameof(Good))]
    public async Task Lets_a_good_token_in(string kind) => (await SendAsync("Bearer " + MakeGood(kind))).ShouldBe(200);

    [Theory]
    [InlineData("[]")]
    [InlineData("""["Admin"]""")]
    [InlineData("""["admin "]""")]
    [InlineData("""["admin,catalog-manager"]""")]
    [InlineData("""["root", "superuser"]""")]
    [InlineData("""{"admin": true}""")]
    [InlineData("1")]
    [InlineData("null")]
    public async Task Returns_403_without_a_role_that_allows_it(string roles)
    {
        var token = Authority.Token("somebody", [], t => t.Claims["roles"] = JsonNode.Parse(roles) is { } node ? System.Text.Json.JsonSerializer.SerializeToElement(node) : null!);

        var answer = (await SendAsync("Bearer " + token)).ShouldBeProblem(403, "not-permitted");

        Assert.Equal("Bearer error=\"insufficient_scope\"", answer.Headers.WwwAuthenticate.Single().ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("42")]
    [InlineData("{01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}")]
    public async Task A_customer_without_a_valid_customer_id_is_refused(string? customer)
    {
        var token = Authority.Token("somebody", ["customer"], t => t.Claims["customer_id"] = customer!);

        (await SendAsync("Bearer " + token)).ShouldBeProblem(403, "not-permitted");
    }

    [Fact]
    public async Task Validates_a_token_without_calling_the_authority()
    {
        await using var authority = new TestAuthority();
        // The timer that refreshes the keys does not run within the test.
        await using var service = app.StartTrusting(authority, ("Authentication:RefreshInterval", "00:05:00"));
        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"]), service)).ShouldBe(200);
        var before = (authority.RequestCount("/jwks"), authority.RequestCount("/.well-known/openid-configuration"));
        Assert.NotEqual((0, 0), before);
        for (var i = 0; i < 50; i++)
        {
            (await SendAsync("Bearer " + authority.Token($"caller {i}", ["admin"]), service)).ShouldBe(200);
        }

        Assert.Equal(before, (authority.RequestCount("/jwks"), authority.RequestCount("/.well-known/openid-configuration")));
    }

    [Fact]
    public async Task Takes_a_new_key_without_a_restart_and_forgets_the_old_one()
    {
        await using var authority = new TestAuthority();
        await using var service = app.StartTrusting(authority);
        var old = authority.Token("somebody", ["admin"]);
        (await SendAsync("Bearer " + old, service)).ShouldBe(200);

        authority.Rotate();

        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"]), service)).ShouldBe(200);
        (await SendAsync("Bearer " + old, service)).ShouldBe(401);
    }

    [Fact]
    public async Task Unknown_key_ids_cause_few_requests_to_the_provider()
    {
        await using var authority = new TestAuthority();
        await using var service = app.StartTrusting(authority, ("Authentication:RefreshInterval", "00:05:00"));
        var before = authority.RequestCount("/jwks");
        using var rsa = RSA.Create(2048);

        for (var i = 0; i < 100; i++)
        {
            (await SendAsync("Bearer " + Sign(new RsaSecurityKey(rsa) { KeyId = $"made-up-{i}" }, authority), service)).ShouldBe(401);
        }

        Assert.InRange(authority.RequestCount("/jwks") - before, 0, 1);
        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"]), service)).ShouldBe(200);
    }

    [Fact]
    public async Task Refuses_everybody_until_the_authority_has_answered_and_reports_it()
    {
        await using var authority = new TestAuthority();
        var token = authority.Token("somebody", ["admin"]);
        await authority.StopAsync();
        await using var service = app.StartTrusting(authority);

        Assert.NotNull((await SendAsync("Bearer " + token, service)).ShouldBeProblem(503, "dependency-unavailable").Headers.RetryAfter);
        (await SendAsync(null, service)).ShouldBeProblem(401, "not-authenticated");
        var health = (await service.Api.GetAsync("/health")).ShouldBe(503);
        Assert.Equal("unhealthy", (string?)health.Json["checks"]!["authority"]!["status"]);
        (await service.Api.GetAsync("/alive")).ShouldBe(200);

        authority.Start();
        await Eventually.TrueAsync(async () => (await SendAsync("Bearer " + token, service)).Status == 200, TimeSpan.FromSeconds(30), "accepted");
        (await service.Api.GetAsync("/health")).ShouldBe(200);
    }

    [Fact]
    public async Task Continues_with_the_last_keys_while_the_authority_is_down()
    {
        await using var authority = new TestAuthority();
        await using var service = app.StartTrusting(authority);
        await authority.StopAsync();
        // An unknown key makes the service query the authority.
        (await SendAsync("Bearer " + Sign(new RsaSecurityKey(RSA.Create(2048)) { KeyId = "unknown" }, authority), service)).ShouldBe(401);

        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"]), service)).ShouldBe(200);
        await Eventually.TrueAsync(
            async () => (string?)(await service.Api.GetAsync("/health")).ShouldBe(200).Json["checks"]!["authority"]!["status"] == "degraded", TimeSpan.FromSeconds(30), "the health is degraded");
    }

    [Fact]
    public async Task Refuses_everybody_without_an_authority()
    {
        await using var service = app.StartTrusting(null);

        (await SendAsync("Bearer " + Authority.Token("somebody", ["admin"]), service)).ShouldBeProblem(503, "dependency-unavailable");
        Assert.Contains("Authentication:Authority", (string?)(await service.Api.GetAsync("/health")).ShouldBe(503).Json["checks"]!["authority"]!["description"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_configured_claim_names()
    {
        await using var authority = new TestAuthority();
        await using var service = app.StartTrusting(authority, ("Authentication:RoleClaim", "https://example.com/roles"), ("Authentication:Audience", "the-shop"));

        var token = authority.Token("somebody", ["admin"], t => (t.Audience, t.Claims["https://example.com/roles"]) = ("the-shop", new[] { "catalog-manager" }));
        (await SendAsync("Bearer " + token, service)).ShouldBe(200);
        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"], t => t.Audience = "the-shop"), service)).ShouldBe(403);
        (await SendAsync("Bearer " + authority.Token("somebody", ["admin"]), service)).ShouldBe(401);
    }

    [Fact]
    public async Task A_service_with_an_endpoint_that_has_no_policy_does_not_start()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(Authority.Settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)));
        builder.AddServiceDefaults();
        await using var service = builder.Build();
        service.MapServiceDefaults();
        service.MapGet("/api/forgotten", () => "everybody's");

        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => service.StartAsync());

        Assert.Contains("/api/forgotten", problem.Message, StringComparison.Ordinal);
    }

    private async Task<ApiResponse> SendAsync(string? authorization, ProductsApp.Replica? service = null)
    {
        using var http = new HttpClient { BaseAddress = (service?.Factory.ClientOptions.BaseAddress) ?? app.Address };
        return await new ApiClient(http).GetAsync(Path, authorization is null ? [] : [("Authorization", authorization)]);
    }

    private static string MakeBad(string kind)
    {
        var good = Authority.Token("somebody", ["admin"]);
        var (header, payload) = (good.Split('.')[0], good.Split('.')[1]);
        switch (kind)
        {
            case "expired":
                return Authority.Token("somebody", ["admin"], t => (t.NotBefore, t.Expires) = (s_now.AddHours(-2), s_now.AddHours(-1)));
            case "not yet valid":
                return Authority.Token("somebody", ["admin"], t => (t.NotBefore, t.Expires) = (s_now.AddHours(1), s_now.AddHours(2)));
            case "without an end":
                return Authority.Token("somebody", ["admin"], t => t.Expires = null);
            case "wrong issuer":
                return Authority.Token("somebody", ["admin"], t => t.Issuer = "https://issuer.example.com");
            case "wrong audience":
                return Authority.Token("somebody", ["admin"], t => t.Audience = "another-api");
            case "no audience":
                return Authority.Token("somebody", ["admin"], t => t.Audience = null);
            case "alg none":
                return $"{Encode("""{"alg":"none","typ":"at+jwt"}""")}.{payload}.";
            case "HMAC with the public key":
                return Mac(Encoding.ASCII.GetBytes(Authority.Key.Rsa.ExportSubjectPublicKeyInfoPem()), payload);
            case "HMAC with the modulus":
                return Mac(Authority.Key.Rsa.ExportParameters(false).Modulus!, payload);
            case "unknown kid":
                return Sign(new RsaSecurityKey(RSA.Create(2048)) { KeyId = "unknown" }, Authority);
            case "another key with a known kid":
                return Sign(new RsaSecurityKey(RSA.Create(2048)) { KeyId = Authority.Key.KeyId }, Authority);
            case "RS512":
                return Authority.Token("somebody", ["admin"], t => t.SigningCredentials = new(Authority.Key, SecurityAlgorithms.RsaSha512));
            case "logout token":
                return Authority.Token("somebody", ["admin"], t => t.TokenType = "logout+jwt");
            case "without a subject":
                return Authority.Token("somebody", ["admin"], t => t.Claims.Remove("sub"));
            case "a subject with a line break":
                return Authority.Token("some\nbody", ["admin"]);
            case "an endless subject":
                return Authority.Token(new string('s', 300), ["admin"]);
            case "oversized":
                return Authority.Token("somebody", ["admin"], t => t.Claims["more"] = new string('x', 9000));
            case "cut off":
                return good[..^20];
            case "garbage":
                return "a.b.c";
            case "empty":
                return "";
            case "two tokens":
                return $"{good}, Bearer {good}";
            default:
                var claims = Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(payload)).Replace("somebody", "sombody2", StringComparison.Ordinal);
                return $"{header}.{Encode(claims)}.{good.Split('.')[2]}";
        }
    }

    private static string MakeGood(string kind)
    {
        switch (kind)
        {
            case "one role as a string":
                return Authority.Token("somebody", [], t => t.Claims["roles"] = "catalog-manager");
            case "roles as an array":
                return Authority.Token("somebody", ["something of another application", "support"]);
            case "two audiences":
                return Authority.Token("somebody", ["admin"], t =>
                {
                    t.Audience = null;
                    t.Audiences.Add("another-api");
                    t.Audiences.Add(TestAuthority.Audience);
                });
            case "typ JWT":
                return Authority.Token("somebody", ["admin"], t => t.TokenType = "JWT");
            case "no typ":
                return Authority.Token("somebody", ["admin"], t => t.TokenType = "");
            case "expired within the skew":
                return Authority.Token("somebody", ["admin"], t => (t.NotBefore, t.Expires) = (s_now.AddHours(-1), TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(-2)));
            default:
                var key = new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = $"ec-{Guid.CreateVersion7():N}" };
                Authority.Publish(key);
                return Authority.Token("somebody", ["admin"], t => t.SigningCredentials = new(key, SecurityAlgorithms.EcdsaSha256));
        }
    }

    private static string Sign(SecurityKey key, TestAuthority authority) =>
        authority.Token("somebody", ["admin"], t => t.SigningCredentials = new(key, SecurityAlgorithms.RsaSha256));

    private static string Mac(byte[] key, string payload)
    {
        var signed = $"{Encode($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{Authority.Key.KeyId}}"}""")}.{payload}";
        return $"{signed}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));
}
