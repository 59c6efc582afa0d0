using System.Globalization;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// Reads decimal numbers without loss. The framework silently rounds to 28 digits: 1E-30 would be a price of 0, and a tiny fraction of a cent
/// would be dropped unnoticed.
/// </summary>
public static class ExactDecimal
{
    /// <summary>Returns false for a text that is not a number, is out of range, or is not exactly representable.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, NumberStyles styles, out decimal value) =>
        decimal.TryParse(text, styles, CultureInfo.InvariantCulture, out value)
        && SignificantDigits(text).SequenceEqual(SignificantDigits(value.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Rounding changes these digits; shifting the decimal point does not.</summary>
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
