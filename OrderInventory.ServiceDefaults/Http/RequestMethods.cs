using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Answers HEAD wherever there is GET, and OPTIONS everywhere (RFC 9110, sections 9.3.2 and 9.3.7), without a route for either. The server
/// itself drops the body of a response to HEAD.
/// </summary>
internal static class RequestMethods
{
    private static readonly object s_isHead = new();

    /// <summary>Routes HEAD as GET; the endpoint sees HEAD again.</summary>
    public static void UseRoutingOfHead(this IApplicationBuilder app)
    {
        app.Use((http, next) =>
        {
            if (HttpMethods.IsHead(http.Request.Method))
            {
                http.Items[s_isHead] = true;
                http.Request.Method = HttpMethods.Get;
                // With a path base, the request has already been routed as HEAD, and a routed request is not routed again.
                http.SetEndpoint(null);
            }

            return next(http);
        });
        app.UseRouting();
        app.Use(AnswerAsync);
    }

    private static async Task AnswerAsync(HttpContext http, RequestDelegate next)
    {
        // Without an endpoint it may be a document of the token issuer, which authentication answers, and only for GET.
        if (http.Items.ContainsKey(s_isHead) && http.GetEndpoint() is not null)
        {
            http.Request.Method = HttpMethods.Head;
        }

        var isOptions = HttpMethods.IsOptions(http.Request.Method);
        if (isOptions && !http.Request.Path.HasValue)
        {
            // OPTIONS * is about the server as a whole.
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        if (http.GetEndpoint() is not RouteEndpoint && Allowed(http) is { Count: > 0 } allowed && (isOptions || !allowed.Contains(http.Request.Method)))
        {
            http.Response.Headers.Allow = string.Join(", ", allowed);
            http.Response.StatusCode = isOptions ? StatusCodes.Status204NoContent : StatusCodes.Status405MethodNotAllowed;
            return;
        }

        await next(http);
    }

    /// <summary>
    /// The methods of the path. The router would take those of all similar routes without their constraints: it would report a GET of
    /// <c>/api/products/import</c>, because there is one of <c>/api/products/{id:guid}</c>.
    /// </summary>
    private static SortedSet<string> Allowed(HttpContext http)
    {
        var policies = http.RequestServices.GetRequiredService<ParameterPolicyFactory>();
        var allowed = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var endpoint in http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            if (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods.Count: > 0 } methods && Matches(http, endpoint.RoutePattern, policies))
            {
                allowed.UnionWith(methods.HttpMethods);
            }
        }

        if (allowed.Count > 0)
        {
            allowed.Add(HttpMethods.Options);
        }

        if (allowed.Contains(HttpMethods.Get))
        {
            allowed.Add(HttpMethods.Head);
        }

        return allowed;
    }

    private static bool Matches(HttpContext http, RoutePattern pattern, ParameterPolicyFactory policies)
    {
        var values = new RouteValueDictionary();
        return new TemplateMatcher(new RouteTemplate(pattern), []).TryMatch(http.Request.Path, values)
            && pattern.ParameterPolicies.All(parameter => parameter.Value.All(policy =>
                policies.Create(pattern.GetParameter(parameter.Key), policy) is not IRouteConstraint constraint
                || constraint.Match(http, null, parameter.Key, values, RouteDirection.IncomingRequest)));
    }
}
