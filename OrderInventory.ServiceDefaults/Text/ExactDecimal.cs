using System.Globalization;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// Reads decimal numbers without loss. The framework rounds to 28 digits in silence: 1E-30 would be a price of 0, and a number with a cent's
/// fraction far behind the point would be taken for one without.
/// </summary>
public static class ExactDecimal
{
    /// <summary>False for what is no number, out of range, or not exactly representable.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, NumberStyles styles, out decimal value) =>
        decimal.TryParse(text, styles, CultureInfo.InvariantCulture, out value)
        && SignificantDigits(text).SequenceEqual(SignificantDigits(value.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Rounding changes these, and a shifted point does not.</summary>
    private static ReadOnlySpan<char> SignificantDigits(ReadOnlySpan<char> number)
    {
        var end = number.IndexOfAny('e', 'E');
        var digits = new char[number.Length];
        var count = 0;
        foreach (var c in end < 0 ? number : number[..end])
        {
            if (char.IsAsciiDigit(c))
            {
                digits[count++] = c;
            }
        }

        return digits.AsSpan(0, count).Trim('0');
    }
}
