using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace OrderInventory.Console.Api;

/// <summary>How fresh a page is.</summary>
public enum Freshness
{
    /// <summary>The stream has not been opened yet.</summary>
    Connecting,

    /// <summary>Changes arrive as they happen.</summary>
    Live,

    /// <summary>Kafka does not answer: changes arrive when it answers again.</summary>
    Late,

    /// <summary>The stream is broken and is being reopened.</summary>
    Broken,
}

/// <summary>The shop's changes, for the pages of one person. One connection, opened by the first page that listens.</summary>
internal sealed partial class ChangeStream(ShopApi api, TimeProvider time, ILogger<ChangeStream> logger) : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    /// <summary>The service sends something every 15 seconds: after a silence of this length the connection is considered dead.</summary>
    private static readonly TimeSpan s_silenceTimeout = TimeSpan.FromSeconds(45);

    private readonly CancellationTokenSource _end = new();
    private Task? _reading;
    private string? _last;

    /// <summary>A change: the event's name and its data.</summary>
    public event Func<string, JsonElement, Task>? Changed;

    /// <summary>Changes may have been missed: read the lists again.</summary>
    public event Func<Task>? Reset;

    public event Func<Task>? FreshnessChanged;

    public Freshness Freshness { get; private set; }

    public void Open() => _reading ??= ReadAsync(_end.Token);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_reading is not null)
        {
            await _reading;
        }

        _end.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "After any failure, the stream is opened again: a page must not wait for it forever.")]
    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var response = await api.OpenStreamAsync(_last, cancellationToken);
                await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
                var pipe = new Pipe();
                _ = ReceiveAsync(body, pipe.Writer, cancellationToken);
                await using var events = pipe.Reader.AsStream();
                var parser = SseParser.Create(events);
                try
                {
                    await foreach (var item in parser.EnumerateAsync(cancellationToken))
                    {
                        await TakeAsync(item.EventType, item.Data);
                    }
                }
                finally
                {
                    // A heartbeat has an id too, from changes that are not sent to this person.
                    _last = parser.LastEventId is { Length: > 0 } last ? last : _last;
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogBroken(exception.Message);
            }

            await SetFreshnessAsync(Freshness.Broken);
            await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is passed to the reader.")]
    private async Task ReceiveAsync(Stream body, PipeWriter writer, CancellationToken cancellationToken)
    {
        Exception? end = null;
        try
        {
            int read;
            do
            {
                using var silence = new CancellationTokenSource(s_silenceTimeout, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
                read = await body.ReadAsync(writer.GetMemory(), either.Token);
                writer.Advance(read);
                await writer.FlushAsync(cancellationToken);
            }
            while (read > 0);
        }
        catch (Exception exception)
        {
            end = exception is OperationCanceledException && !cancellationToken.IsCancellationRequested ? new TimeoutException("Nothing was received in time.") : exception;
        }

        await writer.CompleteAsync(end);
    }

    private async Task TakeAsync(string name, string data)
    {
        switch (name)
        {
            case "open" or "current":
                await SetFreshnessAsync(Freshness.Live);
                break;
            case "stale":
                await SetFreshnessAsync(Freshness.Late);
                break;
            case "reset":
                await NotifyAsync(Reset?.GetInvocationList().Cast<Func<Task>>().Select(handler => handler()));
                break;
            default:
                using (var document = JsonDocument.Parse(data))
                {
                    var root = document.RootElement.Clone();
                    await NotifyAsync(Changed?.GetInvocationList().Cast<Func<string, JsonElement, Task>>().Select(handler => handler(name, root)));
                }

                break;
        }
    }

    private async Task SetFreshnessAsync(Freshness freshness)
    {
        if (Freshness != freshness)
        {
            Freshness = freshness;
            await NotifyAsync(FreshnessChanged?.GetInvocationList().Cast<Func<Task>>().Select(handler => handler()));
        }
    }

    private static Task NotifyAsync(IEnumerable<Task>? calls) => calls is null ? Task.CompletedTask : Task.WhenAll(calls);

    [LoggerMessage(Level = LogLevel.Information, Message = "The change stream is opened again: {Reason}")]
    private partial void LogBroken(string reason);
}
