using System.Text.RegularExpressions;

namespace OrderInventory.Console.Api;

internal static partial class Values
{
    /// <summary>A typed text without surrounding blanks; null when nothing is left.</summary>
    public static string? OrNull(this string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>The beginning of an id, as pages show it. A search for it finds the object.</summary>
    public static string Short(this Guid id) => id.ToString()[..13];

    /// <summary>
    /// What a typed or pasted text searches for. Copied text may contain invisible characters. Of a text with an id (an order's address, a page's
    /// title, an id in braces or cut off by an ellipsis) only the id is searched for.
    /// </summary>
    public static string ToSearch(this string text)
    {
        var visible = Invisible().Replace(text, "").Trim();
        return Id().Match(visible) is { Success: true } id ? id.Value : visible;
    }

    /// <summary>
    /// Zero-width space, word joiner, byte order mark, and the marks and isolates of writing directions. A zero-width joiner and non-joiner belong to
    /// words.
    /// </summary>
    [GeneratedRegex(@"[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]")]
    private static partial Regex Invisible();

    /// <summary>A whole id, or its beginning as pages show it: before an ellipsis, or after one word.</summary>
    [GeneratedRegex(
        @"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}(?:-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])|(?=…|\.{3})|(?<=^\p{L}+\s+[\w-]{13})$)", RegexOptions.IgnoreCase)]
    private static partial Regex Id();
}
