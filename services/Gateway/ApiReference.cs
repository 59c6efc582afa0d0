using Microsoft.AspNetCore.Routing.Patterns;
using Scalar.AspNetCore;

namespace OrderInventory.Gateway;

internal static class ApiReference
{
    /// <summary>
    /// The page of all services' OpenAPI documents, at /. Scripts come from this process, and what would ask other hosts (fonts,
    /// telemetry, chat) is off: the page works on a machine without internet.
    /// </summary>
    public static void MapApiReference(this IEndpointRouteBuilder routes) => routes
        .MapScalarApiReference("/", options =>
        {
            options.WithTitle("OrderInventory").WithFavicon("data:,").DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp();
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
