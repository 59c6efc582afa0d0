using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>Query values in NFC, like what is stored: e and U+0301 find é.</summary>
internal static class NormalizedQuery
{
    public static void UseNormalizedQuery(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        // Whatever NFC changes comes percent-encoded, or as bytes that are not ASCII.
        if (http.Request.QueryString.Value is { Length: > 1 } text && (text.Contains('%', StringComparison.Ordinal) || text.Any(c => c > 127))
            && http.Request.Query.Any(pair => Nfc.Normalize(pair.Key) != pair.Key || pair.Value.Any(value => value is not null && Nfc.Normalize(value) != value)))
        {
            http.Request.Query = new QueryCollection(http.Request.Query
                .GroupBy(pair => Nfc.Normalize(pair.Key), StringComparer.OrdinalIgnoreCase)
                .ToDictionary(
                    group => group.Key,
                    group => new StringValues([.. group.SelectMany(pair => pair.Value).Select(value => value is null ? null : Nfc.Normalize(value))]),
                    StringComparer.OrdinalIgnoreCase));
        }

        return next(http);
    });
}
