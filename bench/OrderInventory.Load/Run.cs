using OrderInventory.Load.Placing;
using OrderInventory.Load.Processes;
using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load;

/// <summary>A run with one number of clients, or one rate: warm-up, placing, waiting, checking.</summary>
/// <param name="endpoints">The system's addresses.</param>
/// <param name="databases">The databases to query.</param>
/// <param name="catalogue">What is ordered.</param>
/// <param name="options">The command line.</param>
/// <param name="clients">The number of clients; in an open loop enough that even with slow answers one is usually free.</param>
/// <param name="rate">Orders a second in an open loop; null in a closed one.</param>
internal sealed class Run(Endpoints endpoints, Databases databases, Catalogue catalogue, LoadOptions options, int clients, int? rate = null)
{
    /// <summary>Clients of an open loop.</summary>
    public const int OpenLoopClients = 64;

    private readonly Uri _address = endpoints.Service("orders", options.ThroughGateway);
    private readonly TimeSpan _timeout = TimeSpan.FromSeconds(options.WaitSeconds);
    private readonly List<string> _failures = [];

    public async Task<RunResult> MeasureAsync(CancellationToken cancellationToken)
    {
        var givenUp = options.SettleMailsSeconds is { } seconds
            ? await databases.SettleMailsAsync(TimeSpan.FromSeconds(seconds), cancellationToken)
            : 0;
        if (options.WarmUpSeconds > 0)
        {
            var warmUp = await PlaceAsync("warm-up", options.WarmUpSeconds, cancellationToken);

            // Without this wait, what the warm-up left in the queues would be processed in the measured time, without being counted.
            Judge("Warm-up: ", warmUp, await Outcome.WaitAsync(databases, warmUp, rate is not null, _timeout, cancellationToken));
        }

        var before = ProcessorTime.Read(options.AppHostPid);
        var placed = await PlaceAsync("placing", options.Seconds, cancellationToken);
        var outcome = await Outcome.WaitAsync(databases, placed, rate is not null, _timeout, cancellationToken);
        var used = ProcessorTime.Between(before, ProcessorTime.Read(options.AppHostPid), Math.Max(1, placed.Ids.Length));
        Judge("", placed, outcome);
        await CheckStockAsync(cancellationToken);

        var recorded = placed.Ids.Length - Math.Max(outcome.Lost + outcome.Undecided, outcome.NotNotified);
        return new()
        {
            Clients = clients,
            Rate = rate,
            ThroughGateway = options.ThroughGateway,
            StartedAt = placed.StartedAt,
            Seconds = placed.Elapsed.TotalSeconds,
            Placed = placed.Ids.Length,
            PlacedPerSecond = placed.Ids.Length / placed.Elapsed.TotalSeconds,
            Errors = placed.Errors,
            Placement = Report.ToPercentiles(placed.Latencies),
            EndToEndPerSecond = recorded > 0 ? recorded / (outcome.LastRecorded - outcome.FirstPlaced).TotalSeconds : 0,
            Statuses = outcome.Statuses,
            ToConfirmed = Report.ToPercentiles(outcome.ToConfirmed),
            ConfirmedAtCommit = outcome.ConfirmedAtCommit,
            ToNotified = Report.ToPercentiles(outcome.ToNotified),
            DrainSeconds = outcome.Waited.TotalSeconds,
            MailsGivenUp = givenUp,
            ProcessorTimePerOrder = used,
            PlacedBySecond = placed.PlacedBySecond,
            Failures = _failures,
        };
    }

    private Task<PhaseResult> PlaceAsync(string what, int seconds, CancellationToken cancellationToken) => Phase.RunAsync(
        $"{(rate is { } perSecond ? $"{perSecond}/s" : $"{clients} client{(clients == 1 ? "" : "s")}")}, {what}", clients, rate, TimeSpan.FromSeconds(seconds), _address, endpoints.Bearer, catalogue, options, cancellationToken);

    private void Judge(string phase, PhaseResult placed, Outcome outcome)
    {
        AddIf(placed.Ids.Length == 0, $"{phase}No order was placed ({string.Join(", ", placed.Errors.Select(error => $"{error.Value} x {error.Key}"))}).");
        AddIf(outcome.Lost > 0, $"{phase}{outcome.Lost} orders were answered 201 but are not in the table.");
        AddIf(outcome.Undecided > 0, $"{phase}{outcome.Undecided} orders were undecided {outcome.Waited.TotalSeconds:F0} s after the placing.");
        AddIf(outcome.NotNotified > 0, $"{phase}{outcome.NotNotified} orders lacked a notification {outcome.Waited.TotalSeconds:F0} s after the placing.");
    }

    private async Task CheckStockAsync(CancellationToken cancellationToken)
    {
        var (oversold, unequal) = await databases.CheckStockAsync(cancellationToken);
        AddIf(oversold > 0, $"{oversold} products have more units reserved than on hand.");
        AddIf(unequal > 0, $"{unequal} products' reserved units are not the sum of what orders hold.");
    }

    private void AddIf(bool failed, string what)
    {
        if (failed)
        {
            _failures.Add(what);
        }
    }
}
