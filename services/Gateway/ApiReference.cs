using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing.Patterns;
using Scalar.AspNetCore;
using Yarp.ReverseProxy.Transforms;

namespace OrderInventory.Gateway;

/// <summary>
/// How the page signs a person in: authorization code with PKCE, without a secret. From the section <c>Authentication:Reference</c>.
/// </summary>
/// <param name="ClientId">A public client of the provider, with the page's address as a redirect URI.</param>
/// <param name="AuthorizationUrl">The provider's authorization endpoint.</param>
/// <param name="TokenUrl">The provider's token endpoint, which must allow the page's origin.</param>
internal sealed record SignInSettings(string ClientId, string AuthorizationUrl, string TokenUrl);

internal static class ApiReference
{
    private const string SignInScheme = "signIn";

    /// <summary>
    /// Maps the page of all services' OpenAPI documents, at /. Its scripts come from this process, and features that call other hosts (fonts,
    /// telemetry, chat) are off, so the page works without internet access.
    /// </summary>
    public static void MapApiReference(this IEndpointRouteBuilder routes, SignInSettings? signIn) => routes
        .MapScalarApiReference("/", options =>
        {
            options.WithTitle("OrderInventory").WithFavicon("data:,").DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp().HideDeveloperTools().HideClientButton();
            if (signIn is not null)
            {
                options.AddPreferredSecuritySchemes(SignInScheme);
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

    /// <summary>
    /// Adds to a service's document how a person gets a token. Scalar also accepts this as a setting, but loses the client id of a scheme that is
    /// in no document.
    /// </summary>
    public static async ValueTask AddSignInAsync(ResponseTransformContext context, SignInSettings signIn)
    {
        if (HttpMethods.IsHead(context.HttpContext.Request.Method) || context.ProxyResponse is not { StatusCode: HttpStatusCode.OK } answer
            || await answer.Content.ReadFromJsonAsync<JsonObject>(context.CancellationToken) is not { } document)
        {
            return;
        }

        var components = document["components"] as JsonObject ?? [];
        var schemes = components["securitySchemes"] as JsonObject ?? [];
        schemes[SignInScheme] = new JsonObject
        {
            ["type"] = "oauth2",
            ["description"] = "Signs a person in and obtains a token for them.",
            ["flows"] = new JsonObject
            {
                ["authorizationCode"] = new JsonObject
                {
                    ["authorizationUrl"] = signIn.AuthorizationUrl,
                    ["tokenUrl"] = signIn.TokenUrl,
                    ["scopes"] = new JsonObject(),
                    ["x-scalar-client-id"] = signIn.ClientId,
                    ["x-usePkce"] = "SHA-256",
                },
            },
        };
        (document["components"], components["securitySchemes"]) = (components, schemes);
        context.SuppressResponseBody = true;
        context.HttpContext.Response.ContentLength = null;
        await context.HttpContext.Response.WriteAsJsonAsync(document, context.CancellationToken);
    }
}
