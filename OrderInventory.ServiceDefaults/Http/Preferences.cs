using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>The request header <c>Prefer</c> (RFC 7240): several headers are one list, values may be quoted, names have no case, the first of a name counts.</summary>
public static class Preferences
{
    /// <summary>The seconds of <c>wait</c> (section 4.3), or null when it is not there or no whole number; a longer one than an int has is the longest.</summary>
    public static int? Wait(StringValues header)
    {
        foreach (var preference in header.SelectMany(line => Split(line ?? "")))
        {
            // "wait=5" with parameters behind it has the grammar of an expectation.
            if (NameValueWithParametersHeaderValue.TryParse(preference, out var parsed) && parsed.Name.Equals("wait", StringComparison.OrdinalIgnoreCase))
            {
                var value = parsed.Value is ['"', .. var quoted, '"'] ? Unescape(quoted) : parsed.Value;
                return double.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? (int)Math.Min(seconds, int.MaxValue) : null;
            }
        }

        return null;
    }

    /// <summary>At commas outside of quoted strings.</summary>
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
