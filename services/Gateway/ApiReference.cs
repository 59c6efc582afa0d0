using Microsoft.AspNetCore.Routing.Patterns;
using Scalar.AspNetCore;

namespace OrderInventory.Gateway;

/// <summary>How the page signs a person in: authorization code with PKCE, without a secret. The section <c>Authentication:Reference</c>.</summary>
/// <param name="ClientId">A public client of the provider, which may be sent back to the page's address.</param>
/// <param name="AuthorizationUrl">The provider's authorization endpoint.</param>
/// <param name="TokenUrl">Its token endpoint, which must allow the page's origin.</param>
internal sealed record SignInSettings(string ClientId, string AuthorizationUrl, string TokenUrl);

internal static class ApiReference
{
    /// <summary>
    /// The page of all services' OpenAPI documents, at /. Scripts come from this process, and what would ask other hosts (fonts,
    /// telemetry, chat) is off: the page works on a machine without internet.
    /// </summary>
    public static void MapApiReference(this IEndpointRouteBuilder routes, SignInSettings? signIn) => routes
        .MapScalarApiReference("/", options =>
        {
            options.WithTitle("OrderInventory").WithFavicon("data:,").DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp();
            if (signIn is not null)
            {
                options.AddPreferredSecuritySchemes("signIn").AddAuthorizationCodeFlow("signIn", flow => flow
                    .WithClientId(signIn.ClientId).WithPkce(Pkce.Sha256).WithSelectedScopes([])
                    .WithAuthorizationUrl(signIn.AuthorizationUrl).WithTokenUrl(signIn.TokenUrl));
            }

            foreach (var service in SystemRoutes.Services)
            {
                options.AddDocument(service, service, $"/openapi/{service}.json", isDefault: service == "orders");
            }
        })
        .AllowAnonymous()
        .Add(endpoint =>
        {
            // Scalar maps /{documentName?}, which at the root would answer every mistyped path with the page.
            if (endpoint is RouteEndpointBuilder { RoutePattern.Parameters.Count: > 0 } page)
            {
                page.RoutePattern = RoutePatternFactory.Parse("/");
            }
        });
}
