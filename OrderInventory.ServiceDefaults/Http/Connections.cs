using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Adds <c>Connection: close</c> to answers that end a connection (RFC 9112, section 9.6). The server reads the rest of a body before the next
/// request, but only up to its limit and for five seconds; then it closes, and a client without that header may lose its next request.
/// </summary>
internal static class Connections
{
    private static readonly object s_unread = new();

    public static void UseConnectionClose(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        if (http.Request.ContentLength is not null and not 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            http.Response.OnStarting(static state =>
            {
                var http = (HttpContext)state;
                if (Ends(http) && !HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
                {
                    http.Response.Headers.Connection = "close";
                }

                return Task.CompletedTask;
            }, http);
        }

        return next(http);
    });

    private static bool Ends(HttpContext http)
    {
        var status = http.Response.StatusCode;
        if (status is StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge)
        {
            return true;
        }

        if (status == StatusCodes.Status400BadRequest && IsBroken(http))
        {
            return true;
        }

        var limit = http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? long.MaxValue;
        if (http.Request.ContentLength > limit)
        {
            return true;
        }

        // The rest of a refused file, or of a body that nobody reads, may be very long.
        return status >= 400
            && (http.Request.ContentLength ?? long.MaxValue) > ServiceDefaultsExtensions.MaxRequestBodySize
            && (limit > ServiceDefaultsExtensions.MaxRequestBodySize || http.Items.ContainsKey(s_unread) || !ReadsBody(http));
    }

    /// <summary>Marks a request that is answered before its body has been read.</summary>
    public static void LeaveBodyUnread(HttpContext http) => http.Items[s_unread] = true;

    /// <summary>Whether a chunk has no readable size, so that the end of the body is unknown. Reading on throws the same error again.</summary>
    private static bool IsBroken(HttpContext http)
    {
        if (http.Request.Headers.TransferEncoding.Count == 0)
        {
            return false;
        }

        try
        {
            if (http.Request.BodyReader.TryRead(out var rest))
            {
                http.Request.BodyReader.AdvanceTo(rest.Buffer.Start);
            }

            return false;
        }
        catch (BadHttpRequestException)
        {
            return true;
        }
        catch (InvalidOperationException)
        {
            // Other code has read the body to its end.
            return false;
        }
    }

    private static bool ReadsBody(HttpContext http) => http.GetEndpoint() is RouteEndpoint endpoint
        && (endpoint.Metadata.GetMetadata<IAcceptsMetadata>() is not null || endpoint.Metadata.GetMetadata<MethodInfo>() is null);
}
