using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>Newline-delimited JSON: one row per line, read as strictly as any request. Empty lines are skipped.</summary>
internal static class NdjsonRows
{
    public static async IAsyncEnumerable<ImportLine<TRow>> ReadAsync<TRow>(
        PipeReader reader, JsonTypeInfo<TRow> json, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRow : class, IImportRow<TRow>
    {
        var number = 0L;
        var skipping = false;
        for (var ended = false; !ended;)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            ended = result.IsCompleted;
            while (TryTakeLine(ref buffer, ended, out var line))
            {
                number++;
                if (skipping || line.Length > BulkImport.MaxRow)
                {
                    skipping = false;
                    yield return ImportLine<TRow>.Bad(number, null, $"A line must have at most {BulkImport.MaxRow} bytes.");
                }
                else if (Parse(line, number, json) is { } row)
                {
                    yield return row;
                }
            }

            if (buffer.Length > BulkImport.MaxRow)
            {
                // The rest of a line that is too long is discarded as it arrives.
                skipping = true;
                buffer = buffer.Slice(buffer.End);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (ended && skipping)
            {
                yield return ImportLine<TRow>.Bad(number + 1, null, $"A line must have at most {BulkImport.MaxRow} bytes.");
            }
        }
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> buffer, bool ended, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is { } end)
        {
            line = buffer.Slice(0, end);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
            return true;
        }

        line = buffer;
        if (ended && !buffer.IsEmpty && buffer.Length <= BulkImport.MaxRow)
        {
            buffer = buffer.Slice(buffer.End);
            return true;
        }

        return false;
    }

    private static ImportLine<TRow>? Parse<TRow>(ReadOnlySequence<byte> line, long number, JsonTypeInfo<TRow> json)
        where TRow : class, IImportRow<TRow>
    {
        var text = line.IsSingleSegment ? line.FirstSpan : line.ToArray();
        if (number == 1 && text.StartsWith("\uFEFF"u8))
        {
            text = text[3..];
        }

        text = text.Trim(" \t\r"u8);
        if (text.IsEmpty)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(text, json) is { } row
                ? new(number, row.Key, row, null)
                : ImportLine<TRow>.Bad(number, null, "A JSON object is required.");
        }
        catch (JsonException exception)
        {
            return new(number, ReadKey(text, TRow.Columns[0]), null, JsonErrors.Describe(exception));
        }
    }

    /// <summary>The key of a row that is refused; null when it cannot be read.</summary>
    private static string? ReadKey(ReadOnlySpan<byte> text, string member)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            while (reader.Read())
            {
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(member))
                {
                    return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The JSON is broken before the key, or the key is not a string.
        }

        return null;
    }
}
