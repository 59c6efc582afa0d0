using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>Comma-separated values (RFC 4180) in UTF-8 with a header line. Empty lines are skipped.</summary>
internal sealed class CsvRows<TRow> : IDisposable
    where TRow : class, IImportRow<TRow>
{
    /// <summary>
    /// Replaces bytes that are not UTF-8: a Unicode noncharacter. The usual U+FFFD may occur in a product's own text, and the decoder drops
    /// U+0000.
    /// </summary>
    private const char NotUtf8 = '\uFFFF';

    private static readonly Encoding s_utf8 =
        Encoding.GetEncoding("utf-8", EncoderFallback.ExceptionFallback, new DecoderReplacementFallback(NotUtf8.ToString()));

    private readonly CsvParser _parser;
    private readonly BoundedReader _reader;
    private readonly Dictionary<string, string> _cells = [];
    private string[] _header = [];
    private bool _badQuotes;

    public CsvRows(Stream body)
    {
        _reader = new(new StreamReader(body, s_utf8, detectEncodingFromByteOrderMarks: false));
        _parser = new(_reader, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = ",",
            // When the parser itself skips empty lines, it loses count of the line on which a row begins.
            IgnoreBlankLines = false,
            BadDataFound = _ => _badQuotes = true,
        });
    }

    /// <summary>Reads the header line. A problem is the 400 to answer; nothing after the header has been read by then.</summary>
    public async Task<ProblemHttpResult?> ReadHeaderAsync()
    {
        try
        {
            _header = await _parser.ReadAsync() && _parser.Record is { } cells && cells is not [""] ? [.. cells.Select(Canonical)] : [];
        }
        catch (RowTooLongException)
        {
            return Problems.MalformedRequest("$", $"The header has more than {BulkImport.MaxRow} characters.");
        }

        if (_header.Length == 0)
        {
            return Problems.MalformedRequest("$", "A header line with the column names is required.");
        }

        if (Array.Exists(_header, column => column.Contains(NotUtf8, StringComparison.Ordinal)))
        {
            return Problems.MalformedRequest("$", "The file is not UTF-8: its header has invalid bytes. Save it as UTF-8 text and send it again.");
        }

        var errors = new RequestErrors();
        errors.Require(!_badQuotes, "$", "The header has a misplaced quotation mark.");
        foreach (var column in _header.Distinct().Take(TRow.Columns.Count + 20))
        {
            errors.Require(TRow.Columns.Contains(column), $"$.{column}", $"Unknown column. Valid columns: {string.Join(", ", TRow.Columns)}.");
            errors.Require(_header.Count(c => c == column) == 1, $"$.{column}", "The column occurs more than once.");
        }

        TRow.CheckHeader(_header, errors);
        return errors.Any ? errors.Malformed() : null;
    }

    /// <exception cref="RowTooLongException">The rest of the file cannot be split into rows.</exception>
    public async IAsyncEnumerable<ImportLine<TRow>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var number = _parser.RawRow + 1;
            _badQuotes = false;
            _reader.BeginRow();
            if (!await _parser.ReadAsync())
            {
                yield break;
            }

            if (_parser.Record is { } cells && cells is not [""])
            {
                yield return Parse(cells, number);
            }
        }
    }

    public void Dispose()
    {
        _parser.Dispose();
        _reader.Dispose();
    }

    private static string Canonical(string column) =>
        TRow.Columns.FirstOrDefault(known => known.Equals(column.Trim().TrimStart('\uFEFF'), StringComparison.OrdinalIgnoreCase)) ?? column;

    private ImportLine<TRow> Parse(string[] cells, long number)
    {
        var at = Array.IndexOf(_header, TRow.Columns[0]);
        var key = cells.Length > at ? CsvText.FromCell(cells[at]).Replace(NotUtf8, '\uFFFD') : null;
        if (cells.Length != _header.Length)
        {
            return ImportLine<TRow>.Bad(number, key, $"The row has {cells.Length} cells, but the header has {_header.Length}.");
        }

        if (_badQuotes)
        {
            return ImportLine<TRow>.Bad(number, key, "A quotation mark is misplaced; inside a quoted cell it must be doubled.");
        }

        if (Array.Exists(cells, cell => cell.AsSpan().ContainsAny('\0', NotUtf8)))
        {
            return ImportLine<TRow>.Bad(number, key, "The row is not valid UTF-8, or contains U+0000.");
        }

        for (var i = 0; i < cells.Length; i++)
        {
            _cells[_header[i]] = Nfc.Normalize(CsvText.FromCell(cells[i]));
        }

        var errors = new RequestErrors();
        var row = TRow.Parse(_cells, errors);
        return errors.Any ? new(number, key, null, errors.All) : new(number, key, row, null);
    }

    /// <summary>Limits the length of a row; the parser would keep an endless one in memory.</summary>
    private sealed class BoundedReader(StreamReader reader) : TextReader
    {
        private int _read;

        /// <summary>The parser may have read a part of the row already; that part is small.</summary>
        public void BeginRow() => _read = 0;

        public override async Task<int> ReadAsync(char[] buffer, int index, int count)
        {
            var read = await reader.ReadAsync(buffer.AsMemory(index, count));
            _read += read;
            return _read > BulkImport.MaxRow ? throw new RowTooLongException() : read;
        }

        public override int Read(char[] buffer, int index, int count) => throw new NotSupportedException("Requests are read asynchronously.");

        protected override void Dispose(bool disposing)
        {
            reader.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>
/// A row of a CSV file is too long, probably because quotes were left open. If no row precedes it, the answer is a 400 for a malformed request.
/// </summary>
[SuppressMessage("Design", "CA1032", Justification = "Thrown here only.")]
internal sealed class RowTooLongException()
    : BadHttpRequestException($"A row has more than {BulkImport.MaxRow} characters; a quotation mark may be unclosed. Nothing after it was read.");
