using System.Collections.Immutable;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OrderInventory.Identity.Data;
using OrderInventory.ServiceDefaults.Identity;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace OrderInventory.Identity;

/// <summary>OpenIddict as this system needs it: client credentials for scripts and services, authorization code with PKCE for people.</summary>
internal static class Issuer
{
    public const string TokenPath = "/connect/token";
    public const string AuthorizePath = "/connect/authorize";
    public const string EndSessionPath = "/connect/endsession";

    /// <summary>The <c>aud</c> of every access token.</summary>
    public const string Audience = "order-inventory";

    /// <summary>Lifetime of people's tokens. A script runs for hours, and nothing renews the tokens in .run/endpoints.json.</summary>
    public static readonly TimeSpan LifeForPeople = TimeSpan.FromHours(24);

    /// <summary>Lifetime of services' tokens. Services renew them automatically.</summary>
    public static readonly TimeSpan LifeForServices = TimeSpan.FromMinutes(10);

    public static void AddIssuer(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetRequiredSection("Identity").Get<IdentityOptions>()!;
        builder.Services.AddSingleton<People>();
        var protection = builder.Services.AddDataProtection();
        if (options.KeysPath is { } folder)
        {
            protection.PersistKeysToFileSystem(Directory.CreateDirectory(Path.Combine(folder, "cookies")));
        }
        else
        {
            protection.UseEphemeralDataProtectionProvider();
        }

        builder.Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<IdentityDb>())
            .AddServer(server =>
            {
                server.SetIssuer(options.Issuer)
                    .SetTokenEndpointUris(TokenPath)
                    .SetAuthorizationEndpointUris(AuthorizePath)
                    .SetEndSessionEndpointUris(EndSessionPath)
                    .AllowClientCredentialsFlow()
                    .AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange()
                    .AllowRefreshTokenFlow()
                    .RegisterScopes(Scopes.Profile, Scopes.OfflineAccess)
                    .AddSigningKey(Key(options.KeysPath, "signing.pem"))
                    .AddEncryptionKey(Key(options.KeysPath, "encryption.pem"))
                    // Resource servers need only the public key to read it, as with any provider.
                    .DisableAccessTokenEncryption();
                server.UseAspNetCore()
                    .EnableTokenEndpointPassthrough()
                    .EnableAuthorizationEndpointPassthrough()
                    .EnableEndSessionEndpointPassthrough()
                    // On loopback, plain HTTP is used.
                    .DisableTransportSecurityRequirement();
            });
    }

    /// <summary>The claims and lifetime of a token.</summary>
    /// <param name="sub">
    /// The subject. For a customer it is the customer, whoever acts for them, so that each customer has their own Idempotency-Keys.
    /// </param>
    /// <param name="role">The token's only role.</param>
    /// <param name="customer">The customer, for a token with the role customer.</param>
    /// <param name="life">The access token's lifetime.</param>
    /// <param name="scopes">The requested scopes.</param>
    public static ClaimsPrincipal Describe(string sub, string role, Guid? customer, TimeSpan life, ImmutableArray<string> scopes)
    {
        var identity = new ClaimsIdentity(nameof(Issuer), Claims.Name, Claims.Role);
        identity.AddClaim(new Claim(Claims.Subject, sub));
        identity.AddClaim(new Claim(Claims.Name, sub));
        // An array even when there is one role.
        identity.AddClaim(new Claim("roles", $"""["{role}"]""", "JSON_ARRAY"));
        if (customer is { } id)
        {
            identity.AddClaim(new Claim("customer_id", id.ToString()));
        }

        identity.SetResources(Audience);
        identity.SetScopes(scopes);
        identity.SetAccessTokenLifetime(life);
        identity.SetDestinations(claim => claim.Type is Claims.Name or Claims.Subject or "roles" or "customer_id"
            ? [Destinations.AccessToken, Destinations.IdentityToken]
            : [Destinations.AccessToken]);
        return new ClaimsPrincipal(identity);
    }

    /// <summary>The token's subject for a person of <see cref="People"/>, who may act for a customer.</summary>
    public static string SubjectOf(string name, Guid? customer) => customer is { } id ? $"customer:{id}" : name;

    /// <summary>The role and the customer; null when the person must name a customer and this is not a customer's id.</summary>
    public static (string Role, Guid? Customer)? RoleOf(string name, string? customer) => People.All[name] switch
    {
        Roles.Customer => Guid.TryParseExact(customer, "D", out var id) ? (Roles.Customer, id) : null,
        var role => (role, null),
    };

    private static RsaSecurityKey Key(string? folder, string name)
    {
        if (folder is null)
        {
            return new(RSA.Create(2048));
        }

        var file = Path.Combine(folder, name);
        var rsa = RSA.Create(2048);
        if (File.Exists(file))
        {
            rsa.ImportFromPem(File.ReadAllText(file));
            return new(rsa);
        }

        Directory.CreateDirectory(folder);
        var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            mode.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file, mode);
        writer.Write(rsa.ExportPkcs8PrivateKeyPem());
        return new(rsa);
    }
}
