namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>
/// Texts in cells. A spreadsheet takes a cell that begins with <c>=</c>, <c>+</c>, <c>-</c>, <c>@</c>, a tab or a line break for a formula
/// and runs it (CSV injection), so such a text is written with an apostrophe before it, which spreadsheets do not show. Reading takes one
/// apostrophe off again, so that a text comes back as it was.
/// </summary>
public static class CsvText
{
    // The wide forms are taken for formulas in some languages' spreadsheets.
    private const string Dangerous = "=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20";

    public static string ToCell(string? text) => text is not null && IsDangerous(text) ? "'" + text : text ?? "";

    public static string FromCell(string cell) => cell.StartsWith('\'') && IsDangerous(cell) ? cell[1..] : cell;

    /// <summary>With apostrophes before it as well: one of them may be the text's own.</summary>
    private static bool IsDangerous(string text)
    {
        var first = text.AsSpan().TrimStart('\'');
        return !first.IsEmpty && Dangerous.Contains(first[0], StringComparison.Ordinal);
    }
}
