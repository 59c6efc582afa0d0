using System.Diagnostics;
using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using OrderInventory.Load.Placing;

namespace OrderInventory.Load.Histories;

/// <summary>A mix of requests by several clients, each written to a history.</summary>
/// <param name="replicas">
/// The current address of each replica; each request of a client goes to the next one. Every fourth client calls the gateway, the others call the
/// services.
/// </param>
/// <param name="options">The settings of the run.</param>
/// <param name="writer">The history.</param>
/// <param name="say">Prints progress.</param>
internal sealed class HistoryRun(IReadOnlyList<Func<Endpoints>> replicas, HistoryOptions options, HistoryWriter writer, Action<string> say) : IDisposable
{
    /// <summary>More than a service processes and queues (Admission:Concurrent, Admission:Queued), even with two replicas.</summary>
    private const int SurgeClients = 1000;

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10) });
    private long _start;
    private int _surges;
    private Shared? _shared;

    public Shared Shared => _shared ?? throw new InvalidOperationException("The run has not begun.");

    /// <summary>Milliseconds since the start.</summary>
    public double Now => Stopwatch.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>The best rate of answers over ten seconds so far; 0 while there is none.</summary>
    public double Rate => Shared.Figures.Best(10);

    public void Dispose() => _http.Dispose();

    /// <summary>Ends when the time has elapsed, or enough orders are placed, and every request has been answered or given up.</summary>
    /// <param name="alongside">What runs at the same time as the load, such as faults; its token is cancelled when the load ends.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    public async Task RunAsync(Func<CancellationToken, Task>? alongside, CancellationToken cancellationToken)
    {
        var run = await HistoryCatalogue.CreateAsync(replicas[0](), options, cancellationToken);
        _start = Stopwatch.GetTimestamp();
        writer.Add(run);
        _shared = new(run, options, writer, () => Now);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(over.Token);
        var disturbing = DisturbAsync();
        var clients = Task.WhenAll(Enumerable.Range(0, options.Clients).Select(number =>
            new HistoryClient(number, _shared, RequestsOf(number), options.Rate is { } rate ? new Pace(rate, number, options.Clients) : null).RunAsync(over.Token)));
        await clients.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await over.CancelAsync();
        await Task.WhenAll(watching, disturbing);
        await clients;

        async Task DisturbAsync()
        {
            try
            {
                await (alongside?.Invoke(over.Token) ?? Task.CompletedTask);
            }
            catch
            {
                // Without the faults the rest of the load would be useless.
                await over.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>Adds clients with a fixed arrival rate, regardless of the answers. Returns when each request has been answered or given up.</summary>
    /// <param name="rate">Requests a second.</param>
    /// <param name="time">How long new requests are sent.</param>
    /// <param name="over">Ends the surge.</param>
    public async Task SurgeAsync(double rate, TimeSpan time, CancellationToken over)
    {
        var (begin, first) = (TimeSpan.FromMilliseconds(Now), options.Clients + (SurgeClients * _surges++));
        await Task.WhenAll(Enumerable.Range(0, SurgeClients).Select(number => new HistoryClient(
            first + number, Shared, RequestsOf(first + number), new Pace(rate, number, SurgeClients, begin), (begin + time).TotalMilliseconds, isShopper: true).RunAsync(over)));
    }

    private Requests RequestsOf(int number)
    {
        Endpoints At(int turn) => replicas[(number + turn) % replicas.Count]();
        return new(_http, (turn, service) => At(turn).Service(service, throughGateway: number % 4 == 3), turn => At(turn).Bearer, () => Now, options.Timeout);
    }

    /// <summary>Writes a sample of the databases each second, and prints progress.</summary>
    private async Task WatchAsync(CancellationToken over)
    {
        using var quiet = new Quiet(replicas[0]().Postgres, replicas[0]().Kafka);
        var said = 0.0;
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), over);
                var sample = await quiet.SampleAsync(Now, over);
                writer.Add(sample);
                if (Now - said > 5000)
                {
                    said = Now;
                    var (answered, failed) = Shared.Figures.Last();
                    say(FormattableString.Invariant($"{Now / 1000,5:F0} s: {Shared.Acknowledged} orders, {answered} answers/s, {failed} without an answer, outbox {sample.Outbox}, lag {sample.Lag}, waiting {sample.Waiting}"));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The load has ended.
        }
    }
}
