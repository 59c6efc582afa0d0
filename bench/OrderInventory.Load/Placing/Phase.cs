using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using OrderInventory.Load.Setup;
using Spectre.Console;

namespace OrderInventory.Load.Placing;

/// <summary>The result of the clients of one phase.</summary>
/// <param name="StartedAt">The time before the first order.</param>
/// <param name="Orders">The orders that were answered 201, and when each was due.</param>
/// <param name="Elapsed">From the start until the last client had its last answer.</param>
/// <param name="Latencies">In microseconds.</param>
/// <param name="Errors">Number of answers other than 201, by status or kind.</param>
/// <param name="PlacedBySecond">201 answers in each second.</param>
internal sealed record PhaseResult(
    DateTimeOffset StartedAt, Dictionary<Guid, DateTimeOffset> Orders, TimeSpan Elapsed, LongHistogram Latencies, SortedDictionary<string, int> Errors, IReadOnlyList<int> PlacedBySecond)
{
    public Guid[] Ids { get; } = [.. Orders.Keys];
}

/// <summary>Runs a number of concurrent clients for a time.</summary>
internal static class Phase
{
    /// <param name="what">The label in the display.</param>
    /// <param name="clients">The number of clients.</param>
    /// <param name="rate">Orders a second of all clients together in an open loop; null in a closed one.</param>
    /// <param name="duration">How long orders are placed.</param>
    /// <param name="address">The address of Orders, or of the gateway.</param>
    /// <param name="token">The token of the caller who orders.</param>
    /// <param name="catalogue">What is ordered, and by whom.</param>
    /// <param name="options">The command line.</param>
    /// <param name="cancellationToken">Ends the phase.</param>
    public static async Task<PhaseResult> RunAsync(
        string what, int clients, double? rate, TimeSpan duration, Uri address, string token, Catalogue catalogue, LoadOptions options, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            // The driver shares the processor with the measured system, so everything unneeded is off.
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = clients,
            ConnectTimeout = TimeSpan.FromSeconds(5),
        };
        using var http = new HttpMessageInvoker(handler);
        var orders = new Uri(address, "/api/orders");
        var phase = Guid.CreateVersion7().ToString("N");
        var all = Enumerable.Range(0, clients)
            .Select(n => new Client(
                http, orders, new OrderBody(catalogue, options.Lines, new Random(options.Seed + (n * 7919))),
                string.Create(CultureInfo.InvariantCulture, $"{phase}-{n}-"), "Bearer " + token, rate is { } perSecond ? new(perSecond, n, clients) : null))
            .ToList();

        var startedAt = TimeProvider.System.GetUtcNow();
        var start = Stopwatch.GetTimestamp();
        var running = Task.WhenAll(all.Select(client => Task.Run(() => client.RunAsync(start, duration, cancellationToken), CancellationToken.None)));
        await ShowAsync(what, all, running, start, duration);
        await running;
        var elapsed = Stopwatch.GetElapsedTime(start);
        cancellationToken.ThrowIfCancellationRequested();
        return Sum(all, startedAt, elapsed);
    }

    private static Task ShowAsync(string what, List<Client> clients, Task running, long start, TimeSpan duration) =>
        AnsiConsole.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(what, maxValue: duration.TotalSeconds);
                var (last, lastAt) = (0L, start);
                while (await Task.WhenAny(running, Task.Delay(1000)) != running)
                {
                    var (now, placed) = (Stopwatch.GetTimestamp(), clients.Sum(client => client.Placed));
                    task.Value = Math.Min(Stopwatch.GetElapsedTime(start).TotalSeconds, duration.TotalSeconds);
                    var rate = (placed - last) / Stopwatch.GetElapsedTime(lastAt, now).TotalSeconds;
                    task.Description = string.Create(CultureInfo.InvariantCulture, $"{what}: {rate:N0} orders/s");
                    (last, lastAt) = (placed, now);
                }

                task.Value = task.MaxValue;
            });

    private static PhaseResult Sum(List<Client> clients, DateTimeOffset startedAt, TimeSpan elapsed)
    {
        var latencies = Report.NewHistogram();
        var errors = new SortedDictionary<string, int>();
        var bySecond = new int[clients.Max(client => client.PlacedBySecond.Count)];
        foreach (var client in clients)
        {
            latencies.Add(client.Latencies);
            foreach (var (error, count) in client.Errors)
            {
                errors[error] = errors.GetValueOrDefault(error) + count;
            }

            for (var second = 0; second < client.PlacedBySecond.Count; second++)
            {
                bySecond[second] += client.PlacedBySecond[second];
            }
        }

        return new(startedAt, clients.SelectMany(client => client.Orders).ToDictionary(order => order.Id, order => startedAt + order.Due), elapsed, latencies, errors, bySecond);
    }
}
