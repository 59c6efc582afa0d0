using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace OrderInventory.TestSupport;

/// <summary>
/// An OpenID Connect provider for tests of single services: a real server on loopback with a discovery document, keys and client credentials.
/// It signs whatever a test wants, counts its requests, changes its keys and can be stopped.
/// </summary>
public sealed class TestAuthority : IAsyncDisposable
{
    public const string Audience = "order-inventory";

    private static readonly Lazy<TestAuthority> s_shared = new(() => new());
    private readonly ConcurrentDictionary<string, int> _requestCounts = new();
    private readonly List<SecurityKey> _published = [];
    private WebApplication? _server;
    private int _port;
    private volatile int _keys;

    public TestAuthority()
    {
        Rotate();
        Start();
    }

    /// <summary>The authority that the tests of a project share; it lives as long as their process.</summary>
    public static TestAuthority Shared => s_shared.Value;

    public string Issuer => $"http://127.0.0.1:{_port}";

    /// <summary>The newest key, with which tokens are signed.</summary>
    public RsaSecurityKey Key { get; private set; } = null!;

    /// <summary>Lifetime of a client-credentials token, in seconds.</summary>
    public int ServiceTokenLife { get; set; } = 3600;

    /// <summary>How often a path was requested.</summary>
    public int RequestCount(string path) => _requestCounts.GetValueOrDefault(path);

    /// <summary>The settings that make a service trust this authority and request its own tokens from it.</summary>
    public IEnumerable<(string Name, string Value)> Settings =>
    [
        ("Authentication:Authority", Issuer),
        ("Authentication:ClientId", "a-service"),
        ("Authentication:ClientSecret", "of a test"),
    ];

    /// <summary>Makes a service trust this authority.</summary>
    public void Configure(IWebHostBuilder host)
    {
        foreach (var (name, value) in Settings)
        {
            host.UseSetting(name, value);
        }
    }

    /// <summary>For tests that are not about authorization: a token that allows everything a person or another service may do.</summary>
    public static AuthenticationHeaderValue Everything => new("Bearer", Shared.Token("tester", ["admin", "service"]));

    /// <summary>A token of a customer; each customer is a subject of their own.</summary>
    public string CustomerToken(Guid customer) => Token($"customer:{customer}", ["customer"], token => token.Claims["customer_id"] = customer.ToString());

    /// <summary>A valid token, which a test may spoil.</summary>
    public string Token(string sub, string[] roles, Action<SecurityTokenDescriptor>? change = null)
    {
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            Claims = new Dictionary<string, object> { ["sub"] = sub, ["roles"] = roles },
            NotBefore = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1),
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(12),
            SigningCredentials = new(Key, SecurityAlgorithms.RsaSha256),
            TokenType = "at+jwt",
        };
        change?.Invoke(descriptor);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    /// <summary>Signs with a new key from now on.</summary>
    /// <param name="keepOld">Whether the old keys are still published.</param>
    public void Rotate(bool keepOld = false)
    {
        var key = new RsaSecurityKey(RSA.Create(2048)) { KeyId = $"key-{Interlocked.Increment(ref _keys)}-{Guid.CreateVersion7():N}" };
        lock (_published)
        {
            if (!keepOld)
            {
                _published.Clear();
            }

            _published.Add(key);
            Key = key;
        }
    }

    /// <summary>Publishes one more key, such as an elliptic-curve key.</summary>
    public void Publish(SecurityKey key)
    {
        lock (_published)
        {
            _published.Add(key);
        }
    }

    /// <summary>Answers nothing until <see cref="Start"/>, which uses the same address.</summary>
    public async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            _server = null;
        }
    }

    public void Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{_port}");
        _server = builder.Build();
        _server.Use((http, next) =>
        {
            _requestCounts.AddOrUpdate(http.Request.Path, 1, (_, count) => count + 1);
            return next(http);
        });
        _server.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = Issuer,
            ["jwks_uri"] = $"{Issuer}/jwks",
            ["token_endpoint"] = $"{Issuer}/connect/token",
            ["authorization_endpoint"] = $"{Issuer}/connect/authorize",
        }));
        _server.MapGet("/jwks", () =>
        {
            lock (_published)
            {
                return Results.Json(new { keys = _published.ConvertAll(Describe) });
            }
        });
        _server.MapPost("/connect/token", (HttpRequest request) => Results.Json(new Dictionary<string, object>
        {
            ["access_token"] = Token("service:test", ["service"], token =>
            {
                token.Claims["jti"] = Guid.CreateVersion7().ToString();
                token.Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(ServiceTokenLife);
            }),
            ["token_type"] = "Bearer",
            ["expires_in"] = ServiceTokenLife,
        }));
        _server.StartAsync().GetAwaiter().GetResult();
        _port = new Uri(_server.Urls.Single()).Port;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private static Dictionary<string, string> Describe(SecurityKey key)
    {
        var jwk = JsonWebKeyConverter.ConvertFromSecurityKey(key);
        var members = new Dictionary<string, string> { ["kty"] = jwk.Kty, ["kid"] = jwk.Kid, ["use"] = "sig" };
        foreach (var (name, value) in new[] { ("n", jwk.N), ("e", jwk.E), ("crv", jwk.Crv), ("x", jwk.X), ("y", jwk.Y) })
        {
            if (value is not null)
            {
                members[name] = value;
            }
        }

        return members;
    }
}
