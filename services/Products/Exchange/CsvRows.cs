using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Exchange;

/// <summary>
/// Comma-separated values (RFC 4180) in UTF-8 with a header line. Only the column <c>sku</c> must be there; what has no column stays as
/// it is, and an empty cell removes.
/// </summary>
internal sealed class CsvRows : IDisposable
{
    public const string ContentType = "text/csv";

    /// <summary>Most characters of one row, whose quotes may have been left open.</summary>
    public const int MaxRow = 256 * 1024;

    public static readonly string[] Columns = ["sku", "name", "description", "category", "price", "currency", "status", "variantOfSku", "attributes"];

    private readonly CsvParser _parser;
    private readonly BoundedReader _reader;
    private readonly JsonTypeInfo<Dictionary<string, string>> _attributes;
    private string[] _header = [];
    private bool _badQuotes;

    public CsvRows(Stream body, JsonTypeInfo<Dictionary<string, string>> attributes)
    {
        _attributes = attributes;
        _reader = new(new StreamReader(body, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false));
        _parser = new(_reader, Configure(config => config.BadDataFound = _ => _badQuotes = true));
    }

    public static CsvConfiguration Configure(Action<CsvConfiguration>? more = null)
    {
        var config = new CsvConfiguration(CultureInfo.InvariantCulture) { Delimiter = ",", BadDataFound = null, IgnoreBlankLines = false };
        more?.Invoke(config);
        return config;
    }

    /// <summary>Reads the header line; the problem is the 400 to answer, before anything else was read.</summary>
    public async Task<ProblemHttpResult?> ReadHeaderAsync()
    {
        var errors = new RequestErrors();
        try
        {
            _header = await _parser.ReadAsync() && _parser.Record is { } cells && cells is not [""] ? [.. cells.Select(Canonical)] : [];
        }
        catch (RowTooLongException)
        {
            return Problems.MalformedRequest("$", $"The header has more than {MaxRow} characters.");
        }

        if (_header.Length == 0)
        {
            return Problems.MalformedRequest("$", "A header line with the names of the columns is required.");
        }

        errors.Require(!_badQuotes, "$", "The header has a quotation mark where none can be.");
        foreach (var column in _header.Distinct().Take(Columns.Length + 20))
        {
            errors.Require(Columns.Contains(column), $"$.{column}", $"There is no such column. There are: {string.Join(", ", Columns)}.");
            errors.Require(_header.Count(c => c == column) == 1, $"$.{column}", "The column is there twice.");
        }

        errors.Require(_header.Contains("sku"), "$.sku", "The column is required.");
        errors.Require(_header.Contains("price") == _header.Contains("currency"), "$.price", "The columns price and currency go together.");
        return errors.Any ? errors.Malformed() : null;
    }

    /// <exception cref="RowTooLongException">The rest of the file cannot be told apart.</exception>
    public async IAsyncEnumerable<ImportLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var line = _parser.RawRow + 1;
            _badQuotes = false;
            _reader.BeginRow();
            if (!await _parser.ReadAsync())
            {
                yield break;
            }

            // Empty lines are passed over; the parser's own way of doing that loses count of where a row begins.
            if (_parser.Record is { } cells && cells is not [""])
            {
                yield return Parse(cells, line);
            }
        }
    }

    public void Dispose()
    {
        _parser.Dispose();
        _reader.Dispose();
    }

    private static string Canonical(string column) =>
        Columns.FirstOrDefault(known => known.Equals(column.Trim().TrimStart('\uFEFF'), StringComparison.OrdinalIgnoreCase)) ?? column;

    private ImportLine Parse(string[] cells, long line)
    {
        var at = Array.IndexOf(_header, "sku");
        var sku = cells.Length > at ? CsvText.FromCell(cells[at]) : null;
        if (cells.Length != _header.Length)
        {
            return ImportLine.Bad(line, sku, string.Create(CultureInfo.InvariantCulture, $"There are {cells.Length} cells, and the header has {_header.Length}."));
        }

        if (_badQuotes)
        {
            return ImportLine.Bad(line, sku, "A quotation mark stands where none can be; inside of a quoted cell it is doubled.");
        }

        // The decoder puts U+FFFD in the place of what is not UTF-8.
        if (Array.Exists(cells, cell => cell.AsSpan().ContainsAny('\0', '\uFFFD')))
        {
            return ImportLine.Bad(line, sku, "The row is not valid UTF-8, or contains U+0000.");
        }

        var row = new ProductRow { Sku = sku! };
        var errors = new RequestErrors();
        var amount = 0m;
        for (var i = 0; i < cells.Length; i++)
        {
            var text = CsvText.FromCell(cells[i]);
            var orNone = text == "" ? null : text;
            switch (_header[i])
            {
                case "name":
                    row.Name = text;
                    break;
                case "description":
                    row.Description = orNone;
                    break;
                case "category":
                    row.Category = orNone;
                    break;
                case "price":
                    errors.Require(
                        decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out amount),
                        "$.price.amount", "A number like 18.00 is required.");
                    row.Price = new(amount, row.Price?.Currency ?? "");
                    break;
                case "currency":
                    row.Price = new(amount, text);
                    break;
                case "status":
                    row.Status = text == "discontinued" ? ProductStatus.Discontinued : ProductStatus.Active;
                    errors.Require(text is "active" or "discontinued", "$.status", "active or discontinued is required.");
                    break;
                case "variantOfSku":
                    row.VariantOfSku = orNone;
                    break;
                case "attributes":
                    row.Attributes = ReadAttributes(text, errors);
                    break;
            }
        }

        return errors.Any ? new(line, sku, null, errors.All) : new(line, sku, row, null);
    }

    private Dictionary<string, string>? ReadAttributes(string cell, RequestErrors errors)
    {
        try
        {
            return cell == "" ? null : JsonSerializer.Deserialize(cell, _attributes);
        }
        catch (JsonException)
        {
            errors.Add("$.attributes", """A JSON object of texts like {"colour": "red"} is required.""");
            return null;
        }
    }

    /// <summary>Ends a row that never ends: the parser would keep all of it in memory.</summary>
    private sealed class BoundedReader(StreamReader reader) : TextReader
    {
        private int _read;

        /// <summary>The parser may have read a part of the row already; that part is small.</summary>
        public void BeginRow() => _read = 0;

        public override async Task<int> ReadAsync(char[] buffer, int index, int count)
        {
            var read = await reader.ReadAsync(buffer.AsMemory(index, count));
            _read += read;
            return _read > MaxRow ? throw new RowTooLongException() : read;
        }

        public override int Read(char[] buffer, int index, int count) => throw new NotSupportedException("Requests are read asynchronously.");

        protected override void Dispose(bool disposing)
        {
            reader.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>A row of a CSV file has no end: probably quotes that were left open.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Thrown here only.")]
internal sealed class RowTooLongException : Exception;

/// <summary>
/// Texts in cells. A spreadsheet takes a cell that begins with <c>=</c>, <c>+</c>, <c>-</c>, <c>@</c>, a tab or a line break for a formula
/// and runs it (CSV injection), so such a text is written with an apostrophe before it, which spreadsheets do not show. Reading takes one
/// apostrophe off again, so that a text comes back as it was.
/// </summary>
internal static class CsvText
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
