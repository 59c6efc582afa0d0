using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Further query parameters that an endpoint reads itself: all names that begin with the prefix; they may be repeated.</summary>
/// <param name="Prefix">The prefix, such as <c>attribute.</c></param>
internal sealed record QueryPrefix(string Prefix);

/// <summary>
/// Reads the query of every endpoint strictly: a parameter that the endpoint's handler does not have, or that is repeated, is 400, and so is
/// a value that is not a JSON number, an RFC 3339 time with zone, a plain UUID, <c>true</c> or <c>false</c>, or a documented enum value. The
/// framework alone is too lenient: it reads "1,5" as 15 and "10:00" as today.
/// </summary>
public static class QueryRules
{
    private static readonly ConcurrentDictionary<Endpoint, Query> s_queries = new();

    /// <summary>Lets parameters whose names begin with <paramref name="prefix"/> pass to the handler, which reads them itself.</summary>
    public static RouteHandlerBuilder WithQueryPrefix(this RouteHandlerBuilder route, string prefix) => route.WithMetadata(new QueryPrefix(prefix));

    internal static void UseQueryRules(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        // Pages, and requests that the gateway forwards, have no handler of ours.
        if (http.Request.QueryString.HasValue
            && (http.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) || http.Request.Path.StartsWithSegments("/internal", StringComparison.Ordinal))
            && http.GetEndpoint() is RouteEndpoint endpoint
            && endpoint.Metadata.GetMetadata<MethodInfo>() is not null
            && s_queries.GetOrAdd(endpoint, static endpoint => new((RouteEndpoint)endpoint)).Read(http.Request) is { } errors)
        {
            Connections.LeaveBodyUnread(http);
            return errors.Malformed().ExecuteAsync(http);
        }

        return next(http);
    });

    /// <summary>The query parameters of one endpoint.</summary>
    private sealed class Query
    {
        private readonly Dictionary<string, Type> _known;
        private readonly string? _prefix;
        private readonly string _validNames;

        public Query(RouteEndpoint endpoint)
        {
            _known = endpoint.Metadata.GetMetadata<MethodInfo>()!.GetParameters()
                .Where(p => endpoint.RoutePattern.GetParameter(p.Name!) is null)
                .Select(p => (Name: p.Name!, Type: Nullable.GetUnderlyingType(p.ParameterType) ?? p.ParameterType))
                .Where(p => QueryValues.IsValue(p.Type))
                .ToDictionary(p => p.Name, p => p.Type, StringComparer.Ordinal);
            _prefix = endpoint.Metadata.GetMetadata<QueryPrefix>()?.Prefix;
            var names = _prefix is null ? _known.Keys : _known.Keys.Append($"{_prefix}{{name}}");
            _validNames = _known.Count == 0 ? "The endpoint has no parameters." : $"Valid parameters: {string.Join(", ", names)}.";
        }

        /// <summary>Returns what is wrong, or null; then the values are in a form that the framework reads.</summary>
        public RequestErrors? Read(HttpRequest request)
        {
            var errors = new RequestErrors();
            if (!IsUtf8(request.QueryString.Value!))
            {
                errors.Add("$", "The query is not UTF-8.");
                return errors;
            }

            Dictionary<string, StringValues>? normal = null;
            foreach (var (name, values) in request.Query)
            {
                if (_prefix is not null && name.StartsWith(_prefix, StringComparison.Ordinal))
                {
                    continue;
                }

                if (!_known.TryGetValue(name, out var type))
                {
                    errors.Add(name, $"Unknown parameter. {_validNames}");
                }
                else if (values.Count != 1)
                {
                    errors.Add(name, "The parameter occurs more than once.");
                }
                else if (QueryValues.Read(type, values.ToString(), out var value) is { } wrong)
                {
                    errors.Add(name, wrong);
                }
                else if (value != values.ToString())
                {
                    (normal ??= request.Query.ToDictionary(StringComparer.Ordinal))[name] = value;
                }
            }

            if (normal is not null)
            {
                request.Query = new QueryCollection(normal);
            }

            return errors.Any ? errors : null;
        }

        /// <summary>The framework leaves percent-encoded bytes that are not UTF-8 undecoded, and a search would look for that text.</summary>
        private static bool IsUtf8(string query) =>
            !query.Contains('%', StringComparison.Ordinal) || Utf8.IsValid(System.Net.WebUtility.UrlDecodeToBytes(Encoding.UTF8.GetBytes(query), 0, Encoding.UTF8.GetByteCount(query)));
    }
}
