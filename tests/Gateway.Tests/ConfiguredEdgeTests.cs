using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrderInventory.TestSupport;

namespace OrderInventory.Gateway.Tests;

/// <summary>What is off until it is configured.</summary>
public sealed class ConfiguredEdgeTests
{
    [Theory]
    [InlineData("https://shop.example", true)]
    [InlineData("https://shop.example.evil", false)]
    [InlineData("http://shop.example", false)]
    [InlineData("null", false)]
    public async Task Pages_of_listed_origins_may_read_answers_and_no_others(string origin, bool allowed)
    {
        await using var app = await Started(new() { Settings = { ["Gateway:Cors:Origins"] = "https://shop.example, https://other.example" } });
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Options })
        {
            using var request = new HttpRequestMessage(method, "/api/orders/unknown");
            request.Headers.Add("Origin", origin);
            if (method == HttpMethod.Options)
            {
                request.Headers.Add("Access-Control-Request-Method", "PUT");
                request.Headers.Add("Access-Control-Request-Headers", "authorization, if-match");
            }

            using var answer = await app.Gateway.Http.SendAsync(request);

            Assert.Equal(allowed ? [origin] : [], answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var origins) ? origins : []);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
    }

    // Fails when the page may not request a token from its provider, or if pages other than it may connect there too.
    [Fact]
    public async Task The_reference_page_signs_in_at_a_configured_provider()
    {
        await using var app = await Started(new()
        {
            Settings =
            {
                ["Authentication:Reference:ClientId"] = "our-page",
                ["Authentication:Reference:AuthorizationUrl"] = "https://login.example/realms/shop/authorize",
                ["Authentication:Reference:TokenUrl"] = "https://login.example/realms/shop/token",
            },
        });
        app.Gateway["orders"].Answers["/openapi/v1.json"] = http => http.Response.WriteAsJsonAsync(new { openapi = "3.1.1", components = new { securitySchemes = new { bearer = new { type = "http" } } } });

        using var page = await app.Gateway.Http.GetAsync("/");
        Assert.Contains("connect-src 'self' https://login.example;", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("unsafe-none", page.Headers.GetValues("Cross-Origin-Opener-Policy").Single());
        using var data = await app.Gateway.Http.GetAsync("/api/orders");
        Assert.DoesNotContain("login.example", data.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("same-origin", data.Headers.GetValues("Cross-Origin-Opener-Policy").Single());

        var schemes = (await app.Gateway.Http.GetFromJsonAsync<JsonNode>("/openapi/orders.json"))!["components"]!["securitySchemes"]!;
        Assert.Equal("http", (string?)schemes["bearer"]!["type"]);
        var flow = schemes["signIn"]!["flows"]!["authorizationCode"]!;
        Assert.Equal(
            ("our-page", "https://login.example/realms/shop/authorize", "https://login.example/realms/shop/token", "SHA-256"),
            ((string?)flow["x-scalar-client-id"], (string?)flow["authorizationUrl"], (string?)flow["tokenUrl"], (string?)flow["x-usePkce"]));
        using var head = await app.Gateway.Http.SendAsync(new(HttpMethod.Head, "/openapi/orders.json"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
    }

    [Fact]
    public async Task Pages_of_listed_origins_may_read_the_gateways_own_errors_too()
    {
        await using var app = await Started(new() { Settings = { ["Gateway:Cors:Origins:0"] = "https://shop.example" } });
        await app.Gateway["orders"].StopAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders");
        request.Headers.Add("Origin", "https://shop.example");

        using var answer = await app.Gateway.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("https://shop.example", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("Retry-After", answer.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forwarded_addresses_are_trusted_up_to_the_first_that_is_not_a_configured_proxy()
    {
        await using var app = await Started(new() { Settings = { ["Gateway:Proxies"] = "127.0.0.1,10.0.0.0/8" } });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders");
        // The left address is the caller's own invention, the right one another proxy.
        request.Headers.Add("X-Forwarded-For", "198.51.100.1, 203.0.113.9, 10.1.2.3");
        request.Headers.Add("X-Forwarded-Proto", "http, https, http");

        var answer = await (await app.Gateway.Http.SendAsync(request)).Content.ReadFromJsonAsync<JsonNode>();

        Assert.Equal("203.0.113.9", (string?)answer!["headers"]!["X-Forwarded-For"]);
        Assert.Equal("https", (string?)answer["headers"]!["X-Forwarded-Proto"]);
    }

    [Fact]
    public async Task With_a_certificate_it_serves_https_and_tells_browsers_to_use_only_https()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=shop.example", key, HashAlgorithmName.SHA256);
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
            var (certificateFile, keyFile) = (Path.Combine(folder.FullName, "tls.crt"), Path.Combine(folder.FullName, "tls.key"));
            await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
            await using var app = await Started(new()
            {
                Settings = { ["Gateway:Https:Url"] = "https://127.0.0.1:0", ["Gateway:Https:Certificate"] = certificateFile, ["Gateway:Https:Key"] = keyFile },
            });
            var addresses = app.Gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
            using var client = new HttpClient(new SocketsHttpHandler
            {
                SslOptions = { RemoteCertificateValidationCallback = (_, seen, _, _) => seen!.GetCertHashString() == certificate.GetCertHashString() },
            })
            { BaseAddress = new(addresses.Single(address => address.StartsWith("https:", StringComparison.Ordinal))) };
            using var ask = new HttpRequestMessage(HttpMethod.Get, "/api/orders") { Headers = { Host = "shop.example", Authorization = TestAuthority.Everything } };

            using var answer = await client.SendAsync(ask);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
            Assert.Equal(HttpStatusCode.OK, (await app.Gateway.Http.GetAsync("/api/orders")).StatusCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<Run> Started(GatewayApp gateway)
    {
        await gateway.InitializeAsync();
        return new(gateway);
    }

    private sealed record Run(GatewayApp Gateway) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Gateway.DisposeAsync();
    }
}
