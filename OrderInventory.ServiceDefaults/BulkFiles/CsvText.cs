namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>
/// Texts in cells. A spreadsheet takes a cell that begins with <c>=</c>, <c>+</c>, <c>-</c>, <c>@</c>, a tab or a line break for a formula
/// and runs it (CSV injection), so such a text is written with a leading apostrophe, which spreadsheets do not show. Reading removes one
/// apostrophe, so that the text comes back unchanged.
/// </summary>
public static class CsvText
{
    // Spreadsheets in some languages take the full-width forms for formulas too.
    private const string Dangerous = "=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20";

    public static string ToCell(string? text) => text is not null && IsDangerous(text) ? "'" + text : text ?? "";

    public static string FromCell(string cell) => cell.StartsWith('\'') && IsDangerous(cell) ? cell[1..] : cell;

    /// <summary>Leading apostrophes are ignored, because a text may begin with apostrophes of its own.</summary>
    private static bool IsDangerous(string text)
    {
        var first = text.AsSpan().TrimStart('\'');
        return !first.IsEmpty && Dangerous.Contains(first[0], StringComparison.Ordinal);
    }
}
