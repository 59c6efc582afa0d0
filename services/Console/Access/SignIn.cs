using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Console.Access;

/// <summary>
/// People sign in at the OpenID Connect provider, by authorization code with PKCE. Their tokens stay in this process; the browser has a cookie that
/// names the session and nothing else.
/// </summary>
internal static class SignIn
{
    public static void AddSignIn(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration.GetSection("Authentication").Get<AuthenticationSettings>() ?? new();
        var discovery = settings.Discovery
            ?? throw new InvalidOperationException("Authentication:Authority is not set: the console has no identity provider to sign in with.");
        builder.Services.AddSingleton<Sessions>();
        // Sessions do not outlive the process, so their cookies need not outlive it either.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddAuthorizationBuilder().AddPolicy(Policies.UseConsole.Name, policy => policy.RequireRole(Policies.UseConsole.Roles));
        builder.Services
            .AddAuthentication(authentication =>
            {
                authentication.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
                authentication.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
            })
            .AddCookie(cookie =>
            {
                cookie.Cookie.Name = "order-inventory-console";
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Events.OnValidatePrincipal = RejectEndedAsync;
                cookie.Events.OnRedirectToAccessDenied = PlainPages.ShowNotForYouAsync;
            })
            .AddOpenIdConnect(provider =>
            {
                provider.Authority = settings.Authority;
                provider.MetadataAddress = discovery;
                provider.ClientId = settings.ClientId ?? "console";
                provider.ClientSecret = settings.ClientSecret;
                // This metadata decides who may sign in, so over a network it is read only with TLS.
                provider.RequireHttpsMetadata = !builder.Environment.IsDevelopment() && !new Uri(discovery).IsLoopback;
                provider.ResponseType = OpenIdConnectResponseType.Code;
                // A form posted from another site would arrive without the cookies: they are Lax because plain HTTP on loopback has no Secure ones.
                provider.ResponseMode = OpenIdConnectResponseMode.Query;
                provider.CorrelationCookie.SameSite = provider.NonceCookie.SameSite = SameSiteMode.Lax;
                provider.CorrelationCookie.SecurePolicy = provider.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                provider.MapInboundClaims = false;
                provider.SaveTokens = false;
                provider.Scope.Clear();
                foreach (var scope in new[] { "openid", "profile" }.Concat(settings.Scope?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []))
                {
                    provider.Scope.Add(scope);
                }

                provider.TokenValidationParameters.NameClaimType = "name";
                provider.TokenValidationParameters.RoleClaimType = settings.RoleClaim;
                provider.Events.OnRedirectToIdentityProvider = RefuseDownloadsAsync;
                provider.Events.OnTokenValidated = StoreTokensAsync;
                provider.Events.OnRemoteFailure = PlainPages.ShowNotSignedInAsync;
            });
    }

    /// <summary>Maps the form that ends the session here and at the provider.</summary>
    public static void MapSignOut(this WebApplication app) => app.MapPost("/sign-out", async (HttpContext http, Sessions sessions, IAntiforgery antiforgery) =>
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Results.BadRequest();
        }

        sessions.End(http.User);
        return Results.SignOut(new() { RedirectUri = "/console/" }, [CookieAuthenticationDefaults.AuthenticationScheme, OpenIdConnectDefaults.AuthenticationScheme]);
    }).AllowAnonymous();

    private static async Task RejectEndedAsync(CookieValidatePrincipalContext context)
    {
        if (await context.HttpContext.RequestServices.GetRequiredService<Sessions>().TokenOfAsync(context.Principal) is null)
        {
            context.RejectPrincipal();
        }
    }

    /// <summary>A browser would save the provider's page as the file. After a 401 it says that the download failed.</summary>
    private static Task RefuseDownloadsAsync(RedirectContext context)
    {
        if (context.Request.Path.StartsWithSegments(Exports.Path))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.HandleResponse();
        }

        return Task.CompletedTask;
    }

    private static Task StoreTokensAsync(TokenValidatedContext context)
    {
        var session = context.HttpContext.RequestServices.GetRequiredService<Sessions>().Begin(context.TokenEndpointResponse!);
        var identity = (ClaimsIdentity)context.Principal!.Identity!;
        // Keeps the claims that pages need; the others matter only to the provider and the API.
        var claims = identity.Claims.Where(claim => claim.Type == identity.NameClaimType || claim.Type == identity.RoleClaimType || claim.Type == "sub")
            .Append(new Claim(Sessions.Claim, session));
        context.Principal = new ClaimsPrincipal(new ClaimsIdentity(claims, identity.AuthenticationType, identity.NameClaimType, identity.RoleClaimType));
        return Task.CompletedTask;
    }
}
