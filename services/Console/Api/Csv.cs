using System.Text;
using OrderInventory.ServiceDefaults.BulkFiles;

namespace OrderInventory.Console.Api;

/// <summary>CSV (RFC 4180) for people who open it in a spreadsheet.</summary>
internal static class Csv
{
    /// <summary>The beginning of a file that a spreadsheet shall read as UTF-8.</summary>
    public const string ByteOrderMark = "\uFEFF";

    /// <param name="header">The first line; null in the middle of a file.</param>
    /// <param name="rows">The other lines.</param>
    public static string Of(IEnumerable<string>? header, IEnumerable<IEnumerable<string?>> rows)
    {
        var text = new StringBuilder();
        foreach (var row in header is null ? rows : rows.Prepend(header))
        {
            text.AppendJoin(',', row.Select(Cell)).Append("\r\n");
        }

        return text.ToString();
    }

    /// <summary>A product's name is foreign text and must not become a formula.</summary>
    private static string Cell(string? value)
    {
        var safe = CsvText.ToCell(value);
        return safe.AsSpan().IndexOfAny(",\"\r\n") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
