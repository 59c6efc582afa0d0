using System.Globalization;
using System.Text;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// What a text in a request may contain. Lengths count code points, as PostgreSQL's <c>length</c> and JSON Schema's <c>maxLength</c> do, so that
/// an emoji is one character wherever it is counted.
/// </summary>
public static class TextRules
{
    public static int CountOf(string text) => text.EnumerateRunes().Count();

    /// <summary>Whether the text has a visible character: a letter, a number, a punctuation mark or a symbol that is not blank.</summary>
    public static bool HasVisible(string text) => text.EnumerateRunes().Any(rune => !IsEmptyLetter(rune.Value) && Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.PrivateUse));

    /// <summary>Control characters and the two separators that end a line or a paragraph.</summary>
    public static bool HasControls(string text, bool multiline = false) => text.EnumerateRunes().Any(rune => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control => !multiline || rune.Value is not ('\t' or '\n' or '\r'),
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => !multiline,
        _ => false,
    });

    /// <summary>
    /// Whether the text has invisible characters, which make different keys look the same: joiners, direction marks, variation selectors, fillers.
    /// </summary>
    public static bool HasInvisible(string text) => text.EnumerateRunes().Any(rune =>
        IsEmptyLetter(rune.Value)
        || rune.Value is 0x034F or (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE0FFF)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    /// <summary>Hangul fillers and the empty Braille pattern: letters and a symbol by category, but displayed blank.</summary>
    private static bool IsEmptyLetter(int rune) => rune is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800;
}
