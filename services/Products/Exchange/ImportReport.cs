using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using OrderInventory.Products.Data;

namespace OrderInventory.Products.Exchange;

/// <summary>A row that was not taken.</summary>
internal sealed record BadRow(long Line, string? Sku, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>How far an import is.</summary>
internal sealed record ImportProgress(long Processed, long Created, long Updated, long Unchanged, long Failed);

/// <summary>The last line. <c>done</c> is false when the import broke off; <c>error</c> then says why, and sending the file again is safe.</summary>
internal sealed record ImportSummary(bool Done, long Processed, long Created, long Updated, long Unchanged, long Failed, long NotReported, ImportError? Error);

/// <summary>A problem at a moment when no status can be answered any more.</summary>
internal sealed record ImportError(string Type, int Status, string Detail);

/// <summary>
/// The answer of an import, line by line while the request is still being read. Many clients (HttpClient, and so any gateway built on it)
/// read nothing before they have sent everything: to wait for them here would be a deadlock. So lines wait in memory instead, and when
/// those are too many, further bad rows are counted only.
/// </summary>
internal sealed class ImportReport(HttpResponse response)
{
    private const int MaxPending = 4 * 1024 * 1024;
    private const int MaxSku = 64;

    private readonly Channel<byte[]> _lines = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true, SingleWriter = true });
    private long _pending;
    private long _processed;
    private long _created;
    private long _updated;
    private long _unchanged;
    private long _failed;
    private long _notReported;

    public long Processed => _processed;

    public void Add(ImportResult result)
    {
        _processed++;
        switch (result.Outcome)
        {
            case ImportOutcome.Created:
                _created++;
                break;
            case ImportOutcome.Updated:
                _updated++;
                break;
            case ImportOutcome.Unchanged:
                _unchanged++;
                break;
            case ImportOutcome.Failed:
                _failed++;
                var sku = result.Line.Sku is { Length: > MaxSku } longer ? longer[..MaxSku] : result.Line.Sku;
                if (!TryWrite(new BadRow(result.Line.Line, sku, result.Errors!), ProductsJson.Default.BadRow))
                {
                    _notReported++;
                }

                break;
        }
    }

    public void WriteProgress() => TryWrite(new(_processed, _created, _updated, _unchanged, _failed), ProductsJson.Default.ImportProgress);

    /// <summary>Writes the last line and ends <see cref="SendAsync"/>.</summary>
    public void Complete(ImportError? error)
    {
        var summary = new ImportSummary(error is null, _processed, _created, _updated, _unchanged, _failed, _notReported, error);
        _lines.Writer.TryWrite(ToLine(summary, ProductsJson.Default.ImportSummary));
        _lines.Writer.Complete();
    }

    /// <summary>Ends <see cref="SendAsync"/> without a word.</summary>
    public void Abandon() => _lines.Writer.TryComplete();

    /// <summary>Sends the lines as they come, until the last one.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        while (await _lines.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_lines.Reader.TryRead(out var line))
            {
                await response.BodyWriter.WriteAsync(line, cancellationToken);
                Interlocked.Add(ref _pending, -line.Length);
            }
        }
    }

    private bool TryWrite<T>(T value, JsonTypeInfo<T> json)
    {
        if (Interlocked.Read(ref _pending) > MaxPending)
        {
            return false;
        }

        var line = ToLine(value, json);
        Interlocked.Add(ref _pending, line.Length);
        return _lines.Writer.TryWrite(line);
    }

    private static byte[] ToLine<T>(T value, JsonTypeInfo<T> json)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(value, json);
        Array.Resize(ref text, text.Length + 1);
        text[^1] = (byte)'\n';
        return text;
    }
}
