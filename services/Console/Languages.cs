using Microsoft.AspNetCore.Localization;

namespace OrderInventory.Console;

/// <summary>
/// Chooses the language that a browser prefers among those that the pages have. Only the language part counts: without ICU
/// (docs/adr/0028-text-without-icu.md) no culture knows that de-AT is German.
/// </summary>
internal static class Languages
{
    public static readonly string[] All = ["en", "de"];

    public static Task<ProviderCultureResult?> OfAsync(HttpContext http)
    {
        var wanted = http.Request.GetTypedHeaders().AcceptLanguage
            .OrderByDescending(language => language.Quality ?? 1)
            .Select(language => language.Value.ToString().Split('-')[0].ToLowerInvariant())
            .FirstOrDefault(language => All.Contains(language));
        return Task.FromResult(wanted is null ? null : new ProviderCultureResult("en", wanted));
    }
}
