using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.HttpsPolicy;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using OpenTelemetry;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Gateway;

/// <summary>
/// The boundary towards callers: which proxies are trusted, which headers browsers get, and which requests are refused. It is configured in the
/// section <c>Gateway</c>; docs/operations.md lists the settings, docs/security.md the threats that they counter.
/// </summary>
internal static partial class Edge
{
    /// <summary>
    /// Ids that callers choose for their own logs. They are forwarded, so they may only contain characters that are safe in any log.
    /// </summary>
    private static readonly string[] s_callerIdHeaders = ["X-Correlation-Id", "X-Request-Id"];

    public const int MaxCallersId = 64;

    public static void AddEdge(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration.GetSection("Gateway");
        var proxies = List(settings, "Proxies");
        if (proxies.Length > 0)
        {
            builder.Services.Configure<ForwardedHeadersOptions>(options =>
            {
                options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
                // As many hops as there are trusted proxies.
                options.ForwardLimit = null;
                options.KnownProxies.Clear();
                options.KnownIPNetworks.Clear();
                foreach (var proxy in proxies)
                {
                    options.KnownIPNetworks.Add(proxy.Contains('/', StringComparison.Ordinal) ? System.Net.IPNetwork.Parse(proxy) : Alone(IPAddress.Parse(proxy)));
                }
            });
        }

        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins(List(settings, "Cors:Origins"))
            .AllowAnyMethod()
            .AllowAnyHeader()
            .WithExposedHeaders(
                HeaderNames.ETag, HeaderNames.Location, HeaderNames.RetryAfter, HeaderNames.WWWAuthenticate, "Idempotency-Replayed", "Preference-Applied")
            .SetPreflightMaxAge(TimeSpan.FromHours(1))));
        builder.Services.Configure<HstsOptions>(hsts => hsts.MaxAge = TimeSpan.FromDays(365));

        if (settings["Https:Url"] is { Length: > 0 } https)
        {
            var certificate = X509Certificate2.CreateFromPemFile(Required(settings, "Https:Certificate"), settings["Https:Key"]);
            builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, $"{builder.WebHost.GetSetting(WebHostDefaults.ServerUrlsKey)};{https}");
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(options => options.ServerCertificate = certificate));
        }

        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxConcurrentConnections ??= settings.GetValue<long?>("MaxConnections") ?? 10_000);
    }

    /// <summary>Must come before all other middleware.</summary>
    public static void UseEdge(this WebApplication app)
    {
        if (List(app.Configuration.GetSection("Gateway"), "Proxies").Length > 0)
        {
            app.UseForwardedHeaders();
        }

        app.UseHsts();
        var pages = PageRules.Of(app.Configuration);
        app.Use((http, next) => ProtectAsync(http, next, pages));
        app.UseCors();
    }

    private static Task ProtectAsync(HttpContext http, RequestDelegate next, PageRules pages)
    {
        http.Response.OnStarting(() =>
        {
            AddSecurityHeaders(http, pages);
            return Task.CompletedTask;
        });
        ForgetBaggage(http);
        if (RefusedPart(http) is not { } refused)
        {
            return next(http);
        }

        // Different parsers may understand this request differently, so the rest of the connection is not trusted either.
        http.Response.Headers.Connection = "close";
        return Problems.MalformedRequest(refused.Name, refused.Why).ExecuteAsync(http);
    }

    private static void AddSecurityHeaders(HttpContext http, PageRules pages)
    {
        var headers = http.Response.Headers;
        var isPage = headers.ContentType.ToString().StartsWith("text/html", StringComparison.OrdinalIgnoreCase);
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        var isConsole = http.Request.Path.StartsWithSegments("/console", StringComparison.Ordinal);
        // A form sent without a referrer has no origin either, and the console checks that its forms come from its own pages.
        headers["Referrer-Policy"] = isConsole ? "same-origin" : "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = isPage && !isConsole ? pages.ReferenceOpener : "same-origin";
        // Only pages need to load anything.
        headers.ContentSecurityPolicy = !isPage ? "default-src 'none'; frame-ancestors 'none'" : isConsole ? pages.Console : pages.Reference;
    }

    /// <summary>What pages may do in a browser; it depends on the identity provider.</summary>
    /// <param name="Reference">Content-Security-Policy of the reference page.</param>
    /// <param name="ReferenceOpener">Its Cross-Origin-Opener-Policy.</param>
    /// <param name="Console">Content-Security-Policy of the console.</param>
    private sealed record PageRules(string Reference, string ReferenceOpener, string Console)
    {
        public static PageRules Of(IConfiguration configuration)
        {
            // With a provider on another host, the reference page must keep access to the window with the provider's pages, and may call its
            // token endpoint.
            var elsewhere = Origin(configuration["Authentication:Reference:TokenUrl"]);
            return new(
                // Its scripts and styles are files of this host or inline. It calls only this host and the provider's token endpoint.
                $"default-src 'self'; connect-src 'self'{elsewhere}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
                elsewhere.Length > 0 ? "unsafe-none" : "same-origin",
                // Scripts and styles are files of this host; Blazor sets style attributes. The sign-out form leads to the provider, which may be
                // on another host.
                $"default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'{Origin(configuration["Authentication:Authority"])}; frame-ancestors 'none'");
        }

        /// <summary>Scheme, host and port, preceded by a space; empty for an address on this host.</summary>
        private static string Origin(string? address) =>
            Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" ? " " + uri.GetLeftPart(UriPartial.Authority) : "";
    }

    /// <summary>
    /// Drops a caller's baggage, which would be attached to every span and every call behind the gateway. The caller's trace continues.
    /// </summary>
    private static void ForgetBaggage(HttpContext http)
    {
        if (!http.Request.Headers.Remove("baggage"))
        {
            return;
        }

        Baggage.ClearBaggage();
        if (Activity.Current is { } activity)
        {
            foreach (var (name, _) in activity.Baggage.ToList())
            {
                activity.SetBaggage(name, null);
            }
        }
    }

    private static (string Name, string Why)? RefusedPart(HttpContext http)
    {
        if (http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget is { } target && !PlainTarget().IsMatch(target))
        {
            return (
                "path", "A path must not contain empty, '.' or '..' segments, backslashes, or escaped slashes, percent signs or control characters.");
        }

        // Kestrel moves the length to another header, but a proxy in front of the gateway may have used it (RFC 9112, section 6.1).
        if (http.Request.Headers.TransferEncoding.Count > 0 && (http.Request.ContentLength is not null || http.Request.Headers.ContainsKey("X-Content-Length")))
        {
            return ("Content-Length", "A request must not have both Content-Length and Transfer-Encoding.");
        }

        foreach (var name in s_callerIdHeaders)
        {
            if (http.Request.Headers.TryGetValue(name, out var values) && !IsId(values))
            {
                return (name, $"One value of 1 to {MaxCallersId} ASCII letters, digits, '-', '_' and '.' is required.");
            }
        }

        return null;
    }

    private static bool IsId(StringValues values) =>
        values is [{ Length: > 0 and <= MaxCallersId } id] && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>
    /// Parsers of a path differ in what they decode, how often, and whether before or after splitting it into segments. No route needs any of
    /// this: ids are UUIDs, and keys in paths have neither slashes nor percent signs. So a target, absolute or not (RFC 9112, section 3.2), has
    /// no empty or dot segments, no backslashes, and no escaped control characters, percent signs, dots, slashes or backslashes.
    /// </summary>
    [GeneratedRegex(@"^(?:\*|(?:https?://[^/?\\]+)?(?:/(?!\.{1,2}(?:[/?]|$))(?:[^/?%\\]|%(?![01]|2[5EF]|5C|7F)[0-9A-F]{2})+)*/?(?:\?.*)?)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex PlainTarget();

    private static string[] List(IConfigurationSection settings, string key) =>
        settings.GetSection(key).Get<string[]>() ?? settings[key]?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static string Required(IConfigurationSection settings, string key) =>
        settings[key] is { Length: > 0 } value ? value : throw new InvalidOperationException($"{settings.Path}:{key} is required.");

    private static System.Net.IPNetwork Alone(IPAddress address) => new(address, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128);
}
