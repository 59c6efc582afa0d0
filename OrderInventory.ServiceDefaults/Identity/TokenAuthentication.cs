using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Checks every request in the service that answers it: a signed token (RFC 7519, RFC 9068) and the policy of the endpoint.</summary>
internal static class TokenAuthentication
{
    /// <summary>
    /// Longest token, in bytes. It has ample room for a role and a customer; checking the signature of a megabyte is not worth its cost.
    /// </summary>
    public const int MaxTokenSize = 8 * 1024;

    /// <summary>How far the provider's clock may deviate from this one.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private const int MaxSubjectLength = 255;
    private static readonly object s_noKeys = new();

    public static void AddTokenAuthentication(this IHostApplicationBuilder builder)
    {
        // A token with a new key waits until the key has been fetched. Otherwise the first callers after a key rotation would be refused.
        AppContext.SetSwitch("Switch.Microsoft.IdentityModel.UpdateConfigAsBlocking", true);
        builder.Services.AddOptions<AuthenticationSettings>().BindConfiguration("Authentication");
        builder.Services.AddHttpClient(AuthorityKeys.Client, client => client.Timeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<AuthorityKeys>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AuthorityKeys>());
        builder.Services.AddHealthChecks().AddCheck<AuthorityKeys>("authority");
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        builder.Services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<AuthenticationSettings>, AuthorityKeys>((bearer, settings, keys) => Configure(bearer, settings.Value, keys));
        builder.Services.AddAuthorization();
        builder.Services.AddOptions<AuthorizationOptions>().Configure<IOptions<AuthenticationSettings>>((authorization, settings) =>
        {
            foreach (var policy in Policies.All)
            {
                authorization.AddPolicy(policy.Name, rule => rule.RequireAuthenticatedUser().RequireAssertion(
                    context => Caller.Of(context.User, policy, settings.Value) is not null));
            }
        });
        builder.Services.AddSingleton<ServiceTokens>();
        builder.Services.AddTransient<ServiceTokenHandler>();
    }

    private static void Configure(JwtBearerOptions bearer, AuthenticationSettings settings, AuthorityKeys keys)
    {
        bearer.ConfigurationManager = keys.Manager;
        bearer.MapInboundClaims = false;
        bearer.TokenHandlers.Clear();
        bearer.TokenHandlers.Add(new JsonWebTokenHandler { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxTokenSize });
        bearer.TokenValidationParameters = new()
        {
            // The valid issuer comes from the discovery document; it is the authority.
            ValidAudience = settings.Audience,
            // Neither "none" nor a MAC, which anybody could compute with the public key.
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.EcdsaSha256],
            TypeValidator = CheckType,
            ClockSkew = ClockSkew,
            NameClaimType = "sub",
            RoleClaimType = settings.RoleClaim,
        };
        bearer.Events = new()
        {
            OnMessageReceived = context =>
            {
                if (!keys.AreKnown)
                {
                    context.HttpContext.Items[s_noKeys] = context.Request.Headers.Authorization.Count > 0;
                    context.NoResult();
                }

                return Task.CompletedTask;
            },
            OnTokenValidated = context =>
            {
                // The subject becomes part of idempotency keys and of the audit.
                if (context.Principal?.FindFirst("sub")?.Value is not { Length: > 0 and <= MaxSubjectLength } sub || sub.Any(char.IsControl))
                {
                    context.Fail("The token's subject is missing, too long, or has control characters.");
                }

                return Task.CompletedTask;
            },
            OnChallenge = ChallengeAsync,
            OnForbidden = context =>
            {
                Connections.LeaveBodyUnread(context.HttpContext);
                // RFC 6750, section 3.1. The status code page writes the body.
                context.Response.Headers.WWWAuthenticate = "Bearer error=\"insufficient_scope\"";
                return Task.CompletedTask;
            },
        };
    }

    /// <summary>
    /// Accepts <c>at+jwt</c> (RFC 9068), and <c>JWT</c> or no type, as many providers send. A logout token or a DPoP proof has another type.
    /// </summary>
    private static string CheckType(string? type, SecurityToken token, TokenValidationParameters parameters)
    {
        var name = type?.StartsWith("application/", StringComparison.OrdinalIgnoreCase) == true ? type["application/".Length..] : type ?? "";
        return name.Length == 0 || name.Equals("at+jwt", StringComparison.OrdinalIgnoreCase) || name.Equals("jwt", StringComparison.OrdinalIgnoreCase)
            ? name
            : throw new SecurityTokenInvalidTypeException("The token is not an access token.") { InvalidType = type };
    }

    private static Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        Connections.LeaveBodyUnread(context.HttpContext);
        if (context.HttpContext.Items[s_noKeys] is not true)
        {
            // The handler describes the error in WWW-Authenticate, and the status code page writes the problem.
            return Task.CompletedTask;
        }

        // Without keys the token cannot be checked, and a new one would not help.
        context.HandleResponse();
        return Problems.Unavailable(context.HttpContext, "The identity provider").ExecuteAsync(context.HttpContext);
    }
}
