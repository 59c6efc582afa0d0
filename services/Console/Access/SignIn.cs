using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace OrderInventory.Console.Access;

/// <summary>
/// People sign in at the OpenID Connect provider, by authorization code with PKCE. Their tokens stay in this process; the browser has a cookie that
/// names the session and nothing else.
/// </summary>
internal static class SignIn
{
    public static void AddSignIn(this WebApplicationBuilder builder)
    {
        var authority = builder.Configuration["Authentication:Authority"]
            ?? throw new InvalidOperationException("Authentication:Authority is missing: the console does not know where people sign in.");
        builder.Services.AddSingleton<Sessions>();
        // Sessions do not outlive the process, so their cookies need not either.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddAuthorization();
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
                cookie.Events.OnValidatePrincipal = context =>
                {
                    if (context.HttpContext.RequestServices.GetRequiredService<Sessions>().TokenOf(context.Principal) is null)
                    {
                        context.RejectPrincipal();
                    }

                    return Task.CompletedTask;
                };
            })
            .AddOpenIdConnect(provider =>
            {
                provider.Authority = authority;
                provider.ClientId = builder.Configuration["Authentication:ConsoleClientId"] ?? "console";
                provider.ClientSecret = builder.Configuration["Authentication:ConsoleClientSecret"];
                provider.RequireHttpsMetadata = authority.StartsWith("https:", StringComparison.Ordinal);
                provider.ResponseType = OpenIdConnectResponseType.Code;
                // A form posted from another site would come without the cookies, which are Lax because plain HTTP on loopback has no Secure ones.
                provider.ResponseMode = OpenIdConnectResponseMode.Query;
                provider.CorrelationCookie.SameSite = provider.NonceCookie.SameSite = SameSiteMode.Lax;
                provider.CorrelationCookie.SecurePolicy = provider.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                provider.MapInboundClaims = false;
                provider.SaveTokens = false;
                provider.Scope.Clear();
                provider.Scope.Add("openid");
                provider.Scope.Add("profile");
                provider.TokenValidationParameters.NameClaimType = "name";
                provider.TokenValidationParameters.RoleClaimType = builder.Configuration["Authentication:RoleClaim"] ?? "roles";
                provider.Events.OnTokenValidated = Keep;
            });
    }

    /// <summary>Maps the form that ends the session here and at the provider.</summary>
    public static void MapSignOut(this WebApplication app) => app.MapPost("/sign-out", (HttpContext http, Sessions sessions) =>
    {
        sessions.End(http.User);
        return TypedResults.SignOut(new() { RedirectUri = "/console/" }, [CookieAuthenticationDefaults.AuthenticationScheme, OpenIdConnectDefaults.AuthenticationScheme]);
    }).RequireAuthorization();

    private static Task Keep(TokenValidatedContext context)
    {
        var answer = context.TokenEndpointResponse!;
        var life = double.TryParse(answer.ExpiresIn, System.Globalization.CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromHours(1);
        var session = context.HttpContext.RequestServices.GetRequiredService<Sessions>().Begin(answer.AccessToken, life);
        var identity = (ClaimsIdentity)context.Principal!.Identity!;
        // What pages need to know of the person; the rest of the token is the provider's and the API's business.
        var claims = identity.Claims.Where(claim => claim.Type == identity.NameClaimType || claim.Type == identity.RoleClaimType || claim.Type == "sub")
            .Append(new Claim(Sessions.Claim, session));
        context.Principal = new ClaimsPrincipal(new ClaimsIdentity(claims, identity.AuthenticationType, identity.NameClaimType, identity.RoleClaimType));
        context.Properties!.ExpiresUtc = context.HttpContext.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + life;
        return Task.CompletedTask;
    }
}
