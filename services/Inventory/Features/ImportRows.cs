using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Features;

/// <summary>A line of an import: a row, or what is wrong with it.</summary>
/// <param name="Line">Its number in the file, from 1.</param>
/// <param name="Row">The row, or null.</param>
/// <param name="Errors">Messages by column, when there is no row.</param>
internal sealed record ImportLine(long Line, ImportStock.Row? Row, Dictionary<string, string[]>? Errors)
{
    public static ImportLine Bad(long line, string column, string message) => new(line, null, new() { [column] = [message] });
}

/// <summary>Reads the lines of an import as they come.</summary>
internal static class ImportRows
{
    /// <summary>Longest line, in characters: far beyond any that is good.</summary>
    public const int MaxLine = 4096;

    private static readonly string[] s_columns = ["productId", "location", "onHand", "lowStockThreshold"];

    public static async IAsyncEnumerable<ImportLine> ReadCsvAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var text = new StreamReader(body, Encoding.UTF8);
        using var csv = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            MaxFieldSize = MaxLine,
            // A stray quote is in a field that is then no number: the line says so, and the rest goes on.
            BadDataFound = null,
            DetectDelimiter = false,
            TrimOptions = TrimOptions.Trim,
        });
        string[]? header = null;
        while (true)
        {
            ImportLine? broken = null;
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!await csv.ReadAsync())
                {
                    yield break;
                }
            }
            catch (CsvHelperException exception)
            {
                // Where the next line begins cannot be known any more.
                broken = ImportLine.Bad(csv.RawRow, "$", $"The file cannot be read any further: {exception.GetType().Name}.");
            }

            if (broken is not null)
            {
                yield return broken;
                yield break;
            }

            var fields = csv.Record!;
            if (header is null)
            {
                header = fields;
                if (header.Except(s_columns).Any() || header.Distinct().Count() != header.Length || !header.Contains("productId") || !header.Contains("onHand"))
                {
                    yield return ImportLine.Bad(csv.RawRow, "$", $"The first line names the columns: {string.Join(',', s_columns)}; productId and onHand must be there.");
                    yield break;
                }

                continue;
            }

            yield return fields.Length == header.Length
                ? Read(csv.RawRow, name => Array.IndexOf(header, name) is >= 0 and var at ? fields[at] : "")
                : ImportLine.Bad(csv.RawRow, "$", $"{header.Length} columns are expected.");
        }
    }

    public static async IAsyncEnumerable<ImportLine> ReadNdJsonAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var text = new StreamReader(body, Encoding.UTF8);
        var line = new StringBuilder();
        var buffer = new char[8192];
        var number = 1L;
        int read;
        while ((read = await text.ReadAsync(buffer, cancellationToken)) > 0)
        {
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != '\n')
                {
                    if (line.Length <= MaxLine)
                    {
                        line.Append(buffer[i]);
                    }

                    continue;
                }

                if (Parse(number++, line) is { } parsed)
                {
                    yield return parsed;
                }

                line.Clear();
            }
        }

        if (Parse(number, line) is { } last)
        {
            yield return last;
        }
    }

    private static ImportLine? Parse(long number, StringBuilder line)
    {
        if (line.Length > MaxLine)
        {
            return ImportLine.Bad(number, "$", $"A line has at most {MaxLine} characters.");
        }

        var text = line.ToString().Trim();
        if (text.Length == 0)
        {
            return null;
        }

        try
        {
            var row = JsonSerializer.Deserialize(text, ImportJson.Default.Row);
            return row is null ? ImportLine.Bad(number, "$", "A JSON object is expected.") : Check(number, row, []);
        }
        catch (JsonException exception)
        {
            return ImportLine.Bad(number, exception.Path ?? "$", "The JSON is not a row of productId, location, onHand and lowStockThreshold.");
        }
    }

    private static ImportLine Read(long number, Func<string, string> field)
    {
        var errors = new Dictionary<string, string[]>();
        if (!Guid.TryParseExact(field("productId"), "D", out var productId))
        {
            errors["productId"] = ["An id is required."];
        }

        if (!long.TryParse(field("onHand"), NumberStyles.None, CultureInfo.InvariantCulture, out var onHand))
        {
            errors["onHand"] = ["A whole number is required."];
        }

        long? threshold = null;
        if (field("lowStockThreshold") is { Length: > 0 } text)
        {
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                threshold = value;
            }
            else
            {
                errors["lowStockThreshold"] = ["A whole number is required."];
            }
        }

        var location = field("location") is { Length: > 0 } code ? code : StockItem.DefaultLocation;
        return Check(number, new(productId, onHand, location, threshold), errors);
    }

    private static ImportLine Check(long number, ImportStock.Row row, Dictionary<string, string[]> errors)
    {
        if (row.OnHand is < 0 or > StockLimits.MaxUnits)
        {
            errors["onHand"] = [$"0 to {StockLimits.MaxUnits} is allowed."];
        }

        if (row.LowStockThreshold is < 0 or > StockLimits.MaxUnits)
        {
            errors["lowStockThreshold"] = [$"0 to {StockLimits.MaxUnits} is allowed."];
        }

        return errors.Count > 0 ? new(number, null, errors) : new(number, row, null);
    }
}
