using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// An e-mail address that is mailed exactly as it was accepted: a dot-atom before the @ (RFC 5322, section 3.2.3; beyond ASCII, letters, marks
/// and numbers, RFC 6531) and a host name after it (RFC 1123, internationalised by RFC 5890). No comments, quotes, display names, lists,
/// address literals or trailing dot: mailers rewrite those, so two texts would be one mailbox. Customers, staff and the mailer share this rule.
/// </summary>
public sealed class EmailAddress
{
    /// <summary>
    /// Largest length in bytes of the whole (RFC 5321, section 4.5.3.1.3), the part before the @, the host name and one of its labels.
    /// </summary>
    private const int MaxLength = 254, MaxLocal = 64, MaxDomain = 253, MaxLabel = 63;

    private static readonly IdnMapping s_idn = new();

    private EmailAddress(string local, string domain, string asciiDomain)
    {
        Text = $"{local}@{domain}";
        // In theory the part before the @ may be case-sensitive (RFC 5321, section 2.4); no mail system in use treats it so.
        Key = Nfc.Normalize(local.ToLowerInvariant()) + "@" + domain;
        AsciiDomain = asciiDomain;
    }

    /// <summary>
    /// The address as it is mailed: the domain in lower case and in Unicode (not <c>xn--</c>), which every mailer encodes in the same way.
    /// </summary>
    public string Text { get; }

    /// <summary>Unique among customers: <see cref="Text"/> in lower case.</summary>
    public string Key { get; }

    /// <summary>The domain in its DNS form, with <c>xn--</c>.</summary>
    public string AsciiDomain { get; }

    public static bool IsValid([NotNullWhen(true)] string? text) => TryParse(text, out _);

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out EmailAddress? address)
    {
        address = null;
        if (text is null || text.Length > MaxLength || text.IndexOf('@', StringComparison.Ordinal) is not (> 0 and var at))
        {
            return false;
        }

        var local = Nfc.Normalize(text[..at]);
        if (!IsLocal(local) || !TryReadDomain(text[(at + 1)..], out var domain, out var ascii) || Encoding.UTF8.GetByteCount(local) + 1 + ascii.Length > MaxLength)
        {
            return false;
        }

        address = new(local, domain, ascii);
        return true;
    }

    /// <summary>The key of the address; for a text that is not an address, the text in lower case, which matches only itself.</summary>
    public static string ToKey(string text) => TryParse(text, out var address) ? address.Key : Nfc.Normalize(text).ToLowerInvariant();

    private static bool IsLocal(string local) =>
        Encoding.UTF8.GetByteCount(local) <= MaxLocal
        && local.Split('.').All(atom => atom.Length > 0 && !BeginsWithMark(atom))
        && local.EnumerateRunes().All(rune => rune.IsAscii
            ? Rune.IsLetterOrDigit(rune) || ".!#$%&'*+-/=?^_`{|}~".Contains((char)rune.Value, StringComparison.Ordinal)
            : IsLetterMarkOrDigit(rune));

    private static bool TryReadDomain(string text, out string domain, out string ascii)
    {
        (domain, ascii) = ("", "");
        // Lower case comes before NFC: a capital followed by a mark may compose to another letter than the lower-case letter does.
        var lower = Nfc.Normalize(text.ToLowerInvariant());
        if (!lower.EnumerateRunes().All(rune => rune.IsAscii ? Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '.' : IsLetterMarkOrDigit(rune) && !IsCompatibility(rune)))
        {
            return false;
        }

        try
        {
            domain = string.Join('.', lower.Split('.').Select(label =>
                label.StartsWith("xn--", StringComparison.Ordinal) ? Nfc.Normalize(s_idn.GetUnicode(label)) : label));
            ascii = s_idn.GetAscii(domain);
        }
        catch (ArgumentException)
        {
            return false;
        }

        // A name decoded from xn-- must meet the same rules and encode to the same xn-- again; otherwise it disguises another name.
        var labels = ascii.Split('.');
        return domain == Nfc.Normalize(domain.ToLowerInvariant())
            && domain.EnumerateRunes().All(rune => rune.IsAscii || (IsLetterMarkOrDigit(rune) && !IsCompatibility(rune)))
            && (lower == domain || lower == ascii || s_idn.GetAscii(lower) == ascii)
            && ascii.Length <= MaxDomain
            && labels.All(label => label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-')
            && !domain.Split('.').Any(BeginsWithMark)
            && !labels[^1].All(char.IsAsciiDigit);
    }

    /// <summary>A leading mark would be drawn on the preceding character (RFC 5891, section 4.2.3.2).</summary>
    private static bool BeginsWithMark(string text) => Rune.GetUnicodeCategory(text.EnumerateRunes().First()) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsLetterMarkOrDigit(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.LowercaseLetter or UnicodeCategory.UppercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
        or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber && !TextRules.HasInvisible(rune.ToString());

    /// <summary>Wide and styled forms of other letters, which IDNA 2008 forbids in names and browsers turn into the plain letters.</summary>
    private static bool IsCompatibility(Rune rune) => rune.Value is (>= 0x2100 and <= 0x214F) or (>= 0xFB00 and <= 0xFB06) or (>= 0xFF00 and <= 0xFFEF) or (>= 0x1D400 and <= 0x1D7FF);
}
