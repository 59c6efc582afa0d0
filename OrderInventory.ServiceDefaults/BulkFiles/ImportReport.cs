using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>A problem that occurs after the response's status has been sent.</summary>
internal sealed record ImportError(string Type, int Status, string Detail);

/// <summary>
/// The response to an import, written line by line while the request is still being read. Many clients (HttpClient, and so any gateway built
/// on it) read nothing until they have sent everything: waiting for them here would be a deadlock. So lines are buffered in memory, and when
/// there are too many, further bad rows are only counted.
/// </summary>
/// <param name="response">Where the lines go.</param>
/// <param name="key">The member that identifies a bad row.</param>
internal sealed class ImportReport<TOutcome>(HttpResponse response, string key)
    where TOutcome : struct, Enum
{
    private const int MaxPending = 4 * 1024 * 1024;
    private const int MaxKey = 64;

    private readonly Channel<byte[]> _lines = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true, SingleWriter = true });
    private readonly SortedDictionary<TOutcome, long> _outcomes = new(Enum.GetValues<TOutcome>().ToDictionary(outcome => outcome, _ => 0L));
    private long _pending;
    private long _failed;
    private long _notReported;

    public long Processed { get; private set; }

    private IEnumerable<KeyValuePair<string, object?>> Counts =>
    [
        new("processed", Processed),
        .. _outcomes.Select(outcome => new KeyValuePair<string, object?>(JsonNamingPolicy.CamelCase.ConvertName(outcome.Key.ToString()), outcome.Value)),
        new("failed", _failed),
    ];

    public void Add(TOutcome outcome)
    {
        Processed++;
        _outcomes[outcome]++;
    }

    public void AddBad(long line, string? keyValue, IReadOnlyDictionary<string, string[]> errors)
    {
        Processed++;
        _failed++;
        var shown = keyValue is { Length: > MaxKey } ? string.Concat(keyValue.EnumerateRunes().Take(MaxKey)) : keyValue;
        if (!TryWrite([new("line", line), new(key, shown), new("errors", errors)]))
        {
            _notReported++;
        }
    }

    public void WriteProgress() => TryWrite(Counts);

    /// <summary>Writes the last line and ends <see cref="SendAsync"/>. An error means that the import broke off; sending the file again is safe.</summary>
    public void Complete(ImportError? error)
    {
        _lines.Writer.TryWrite(ToLine([new("done", error is null), .. Counts, new("notReported", _notReported), new("error", error)]));
        _lines.Writer.Complete();
    }

    /// <summary>Ends <see cref="SendAsync"/> without a last line.</summary>
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

    private bool TryWrite(IEnumerable<KeyValuePair<string, object?>> members)
    {
        if (Interlocked.Read(ref _pending) > MaxPending)
        {
            return false;
        }

        var line = ToLine(members);
        Interlocked.Add(ref _pending, line.Length);
        return _lines.Writer.TryWrite(line);
    }

    private static byte[] ToLine(IEnumerable<KeyValuePair<string, object?>> members) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(new OrderedDictionary<string, object?>(members), JsonSerializerOptions.Web), (byte)'\n'];
}
