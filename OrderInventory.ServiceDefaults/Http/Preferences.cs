using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// The request header <c>Prefer</c> (RFC 7240): several headers form one list, values may be quoted, names are case-insensitive, and the first value
/// of a name counts.
/// </summary>
public static class Preferences
{
    /// <summary>
    /// The seconds of <c>wait</c> (section 4.3), capped at the largest int; null when <c>wait</c> is missing or not a whole number.
    /// </summary>
    public static int? Wait(StringValues header)
    {
        foreach (var preference in header.SelectMany(line => Split(line ?? "")))
        {
            // "wait=5" followed by parameters has the grammar of an Expect header.
            if (NameValueWithParametersHeaderValue.TryParse(preference, out var parsed) && parsed.Name.Equals("wait", StringComparison.OrdinalIgnoreCase))
            {
                var value = parsed.Value is ['"', .. var quoted, '"'] ? Unescape(quoted) : parsed.Value;
                return double.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? (int)Math.Min(seconds, int.MaxValue) : null;
            }
        }

        return null;
    }

    /// <summary>Splits a line at commas outside quoted strings.</summary>
    private static IEnumerable<string> Split(string line)
    {
        var (start, quoted) = (0, false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\' && quoted)
            {
                i++;
            }
            else if (line[i] == '"')
            {
                quoted = !quoted;
            }
            else if (line[i] == ',' && !quoted)
            {
                yield return line[start..i].Trim();
                start = i + 1;
            }
        }

        yield return line[start..].Trim();
    }

    private static string Unescape(string quoted)
    {
        var text = new StringBuilder(quoted.Length);
        for (var i = 0; i < quoted.Length; i++)
        {
            text.Append(quoted[i] == '\\' && i + 1 < quoted.Length ? quoted[++i] : quoted[i]);
        }

        return text.ToString();
    }
}
