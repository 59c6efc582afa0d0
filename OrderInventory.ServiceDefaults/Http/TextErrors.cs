using System.Globalization;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Checks of the texts in a request, for every service.</summary>
public static class TextErrors
{
    /// <summary>Allows a text of one line that may be omitted, but not blank.</summary>
    public static void AllowLine(this RequestErrors errors, string? line, int maxLength, string path)
    {
        if (line is not null)
        {
            errors.RequireText(line, maxLength, path);
        }
    }

    /// <summary>Requires a text that serves as a key, such as a SKU: one line without invisible characters or surrounding blanks.</summary>
    public static void RequireKey(this RequestErrors errors, string? key, int maxLength, string path)
    {
        errors.RequireText(key, maxLength, path);
        CheckKey(errors, key, path);
    }

    /// <summary>As <see cref="RequireKey"/>, for a key that may be omitted or empty.</summary>
    public static void AllowKey(this RequestErrors errors, string? key, int maxLength, string path)
    {
        errors.AllowText(key, maxLength, path);
        CheckKey(errors, key, path);
    }

    internal static void RequireText(RequestErrors errors, string? text, int minLength, int maxLength, bool multiline, string path)
    {
        if (text is null)
        {
            errors.Require(minLength == 0, path, Lengths(minLength, maxLength));
            return;
        }

        // A text with more UTF-16 units than twice the limit has more code points than the limit, so it need not be counted.
        errors.Require(
            text.Length <= 2L * maxLength && TextRules.CountOf(text) <= maxLength && (minLength == 0 || !string.IsNullOrWhiteSpace(text)), path, Lengths(minLength, maxLength));
        errors.Require(string.IsNullOrWhiteSpace(text) || TextRules.HasVisible(text), path, "At least one visible character is required.");
        errors.Require(!TextRules.HasControls(text, multiline), path, "No control characters are allowed.");
    }

    private static void CheckKey(RequestErrors errors, string? key, string path)
    {
        errors.Require(key is null || key.Trim() == key, path, "No leading or trailing spaces are allowed.");
        errors.Require(key is null || !TextRules.HasInvisible(key), path, "No invisible characters are allowed.");
    }

    private static string Lengths(int minLength, int maxLength) => minLength == 0
        ? string.Create(CultureInfo.InvariantCulture, $"At most {maxLength} characters are allowed.")
        : string.Create(CultureInfo.InvariantCulture, $"1 to {maxLength} characters are required.");
}
