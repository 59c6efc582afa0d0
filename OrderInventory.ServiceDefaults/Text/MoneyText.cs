using System.Collections.Frozen;
using System.Globalization;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// Formats amounts for the reader's language: <c>1.234,50 €</c> in German, <c>1,234.50 EUR</c> in English, with the decimal places of the currency.
/// The separators for the listed languages come from CLDR; without ICU the runtime has no cultures (docs/adr/0028).
/// </summary>
public static class MoneyText
{
    private static readonly NumberFormatInfo s_english = Of(",", ".");

    private static readonly FrozenDictionary<string, NumberFormatInfo> s_languages = Read(
        (Of(".", ","), "de da nl el id it tr ro hr sl sr es vi pt-br ca gl eu is mk"),
        (Of("\u00A0", ","), "fr pl cs sk sv nb nn no fi ru uk bg hu pt lt lv et hy ka kk de-at"),
        (Of("\u2019", "."), "de-ch de-li it-ch"),
        (s_english, "en ja zh ko th he es-mx"));

    /// <param name="amount">The amount.</param>
    /// <param name="currency">ISO 4217.</param>
    /// <param name="language">IETF language tag of the surrounding text.</param>
    public static string Format(decimal amount, string currency, string language)
    {
        var places = Math.Max(Currencies.MinorUnits(currency) ?? 2, Scale(amount));
        var number = amount.ToString("N" + places.ToString(CultureInfo.InvariantCulture), FormatOf(language));
        return $"{number} {(currency == "EUR" && !IsEnglish(language) ? "€" : currency)}";
    }

    private static NumberFormatInfo FormatOf(string language)
    {
        for (var tag = language.ToLowerInvariant(); ; tag = tag[..tag.LastIndexOf('-')])
        {
            if (s_languages.TryGetValue(tag, out var format))
            {
                return format;
            }

            if (!tag.Contains('-', StringComparison.Ordinal))
            {
                return s_english;
            }
        }
    }

    private static bool IsEnglish(string language) => language.Split('-')[0].Equals("en", StringComparison.OrdinalIgnoreCase);

    /// <summary>Decimal places without trailing zeros: an old amount may have more than its currency.</summary>
    private static int Scale(decimal amount) => (amount / 1.0000000000000000000000000000m).Scale;

    private static NumberFormatInfo Of(string group, string separator) => new() { NumberGroupSeparator = group, NumberDecimalSeparator = separator };

    private static FrozenDictionary<string, NumberFormatInfo> Read(params (NumberFormatInfo Format, string Tags)[] groups) =>
        groups.SelectMany(g => g.Tags.Split(' ').Select(tag => (tag, g.Format))).ToFrozenDictionary(entry => entry.tag, entry => entry.Format);
}
