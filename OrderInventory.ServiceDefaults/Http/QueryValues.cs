using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Reads the values of query parameters, by type; also times and enum values in bodies.</summary>
internal static partial class QueryValues
{
    private static readonly FrozenDictionary<Type, Func<string, (string? Wrong, string Value)>> s_readers =
        new Dictionary<Type, Func<string, (string?, string)>>
        {
            // In NFC, like stored text, so that e and U+0301 find é.
            [typeof(string)] = text => (text.Contains('\0', StringComparison.Ordinal) ? "The text contains U+0000." : null, Nfc.Normalize(text)),
            [typeof(Guid)] = text => (Uuids.TryParse(text, out _) ? null : "A UUID is required, without braces.", text),
            [typeof(bool)] = text => (text is "true" or "false" ? null : "true or false is required.", text),
            [typeof(int)] = text => Integer(text, int.MinValue, int.MaxValue),
            [typeof(long)] = text => Integer(text, long.MinValue, long.MaxValue),
            [typeof(decimal)] = Number,
            [typeof(DateTimeOffset)] = Time,
        }.ToFrozenDictionary();

    public static bool IsValue(Type type) => type.IsEnum || s_readers.ContainsKey(type);

    /// <summary>
    /// Returns what is wrong with the text, or null; then <paramref name="value"/> is the value in a form that the framework reads.
    /// </summary>
    public static string? Read(Type type, string text, out string value)
    {
        (var wrong, value) = type.IsEnum ? ReadEnum(type, text) : s_readers[type](text);
        return wrong;
    }

    private static (string?, string) Integer(string text, long min, long max) => JsonNumber().IsMatch(text)
        && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
        ? (null, text)
        : ("A whole number is required.", text);

    private static (string?, string) Number(string text) =>
        JsonNumber().IsMatch(text) && ExactDecimal.TryParse(text, NumberStyles.Float, out var number)
            ? (null, number.ToString(CultureInfo.InvariantCulture))
            : ("A number like 18.5 is required.", text);

    private static (string?, string) Time(string text)
    {
        var match = Rfc3339().Match(text);
        if (!match.Success)
        {
            return ("A time with its zone (RFC 3339) is required, like 2026-11-24T08:00:00Z; in a query, + must be written as %2B.", text);
        }

        // Times are kept in units of 100 ns, so further digits are cut off.
        var fraction = match.Groups["fraction"].Value;
        var normal = string.Concat(match.Groups["seconds"].Value, fraction.Length > 8 ? fraction[..8] : fraction, match.Groups["zone"].Value).ToUpperInvariant();
        return DateTimeOffset.TryParse(normal, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? (null, time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture))
            : ("The time does not exist.", text);
    }

    private static (string?, string) ReadEnum(Type type, string text)
    {
        foreach (var name in Enum.GetNames(type))
        {
            if (JsonNamingPolicy.CamelCase.ConvertName(name) == text)
            {
                return (null, name);
            }
        }

        return ($"One of these values is required: {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}.", text);
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex JsonNumber();

    [GeneratedRegex(@"^(?<seconds>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})(?<fraction>\.[0-9]+)?(?<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();
}
