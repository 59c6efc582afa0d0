using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// The encodings that a body may have: UTF-8, as JSON requires (RFC 8259, section 8.1), and gzip. Anything else is 415, for every endpoint that
/// takes a body. The size limit of an endpoint holds before and after decompression.
/// </summary>
internal static class BodyRules
{
    private const string Gzip = "gzip";

    public static void AddBodyRules(this IServiceCollection services) => services.AddRequestDecompression(options =>
    {
        var gzip = options.DecompressionProviders[Gzip];
        options.DecompressionProviders.Clear();
        options.DecompressionProviders.Add(Gzip, gzip);
    });

    public static void UseBodyRules(this IApplicationBuilder app) =>
        app.UseWhen(http => http.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>() is not null, bodies =>
        {
            bodies.Use(CheckAsync);
            bodies.UseRequestDecompression();
        });

    private static async Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        var coding = http.Request.Headers.ContentEncoding.ToString().Trim();
        var isGzip = coding.Equals(Gzip, StringComparison.OrdinalIgnoreCase) || coding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (Check(http, coding, isGzip) is { } refused)
        {
            Connections.LeaveBodyUnread(http);
            await refused.ExecuteAsync(http);
            return;
        }

        if (!isGzip)
        {
            http.Request.Headers.Remove(HeaderNames.ContentEncoding);
            await next(http);
            return;
        }

        http.Request.Headers.ContentEncoding = Gzip;
        try
        {
            await next(http);
        }
        catch (InvalidDataException exception)
        {
            throw new BadHttpRequestException("The body is not gzip, although Content-Encoding says so.", StatusCodes.Status400BadRequest, exception);
        }
    }

    private static ProblemHttpResult? Check(HttpContext http, string coding, bool isGzip)
    {
        if (!isGzip && coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            // RFC 9110, section 15.5.16.
            http.Response.Headers.AcceptEncoding = Gzip;
            return Unsupported("gzip is the only supported compression of the body.");
        }

        if (http.Request.ContentType is null)
        {
            return null;
        }

        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type))
        {
            return Unsupported("The Content-Type cannot be read.");
        }

        foreach (var charset in type.Parameters.Where(p => p.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)))
        {
            // A quoted and an unquoted value mean the same (RFC 9110, section 5.6.6), and ASCII is valid UTF-8.
            var name = HeaderUtilities.RemoveQuotes(charset.Value);
            if (!name.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !name.Equals("us-ascii", StringComparison.OrdinalIgnoreCase))
            {
                return Unsupported("The body must be UTF-8.");
            }
        }

        // Code that reads the body need not parse parameters again.
        http.Request.ContentType = type.MediaType.ToString();
        return null;
    }

    private static ProblemHttpResult Unsupported(string title) =>
        Problems.Of("unsupported-media-type", title, StatusCodes.Status415UnsupportedMediaType);
}
