using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderInventory.Load;

/// <summary>All figures of one run. Rates are per second, times in milliseconds unless the name says seconds.</summary>
internal sealed record RunResult
{
    public required int Clients { get; init; }

    /// <summary>The target rate of an open loop, in orders a second; null in a closed loop.</summary>
    public required int? Rate { get; init; }
    public required bool ThroughGateway { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required double Seconds { get; init; }
    public required int Placed { get; init; }
    public required double PlacedPerSecond { get; init; }
    public required IReadOnlyDictionary<string, int> Errors { get; init; }

    /// <summary>From the request (in an open loop from when it was due) to the last byte of the answer, measured by the client.</summary>
    public required Percentiles Placement { get; init; }

    /// <summary>Orders divided by the time from the first placement to the last recorded notification.</summary>
    public required double EndToEndPerSecond { get; init; }
    public required IReadOnlyDictionary<string, int> Statuses { get; init; }

    /// <summary>
    /// For confirmed orders in version 2: from <c>placed_at</c> (in an open loop from when the order was due) to the commit of the confirmation, or
    /// to <c>updated_at</c>, which is slightly before it (<see cref="ConfirmedAtCommit"/>).
    /// </summary>
    public required Percentiles ToConfirmed { get; init; }

    /// <summary>Whether PostgreSQL keeps the time of commits (<c>track_commit_timestamp</c>).</summary>
    public required bool ConfirmedAtCommit { get; init; }

    /// <summary>The later of the two notifications' <c>created_at</c>, less <c>placed_at</c>.</summary>
    public required Percentiles ToNotified { get; init; }

    /// <summary>How long after the placing the last order was recorded; found by polling four times a second.</summary>
    public required double DrainSeconds { get; init; }

    /// <summary>Mails that were still pending before the run and were given up, because mails are sent more slowly than orders are placed.</summary>
    public required long MailsGivenUp { get; init; }

    /// <summary>
    /// Milliseconds by program, including the driver, from the first order to the last recorded one; empty without the AppHost's process id.
    /// </summary>
    public required IReadOnlyDictionary<string, double> ProcessorTimePerOrder { get; init; }
    public required IReadOnlyList<int> PlacedBySecond { get; init; }

    /// <summary>Empty when all checks of the run succeeded.</summary>
    public required IReadOnlyList<string> Failures { get; init; }
}

internal sealed record Percentiles(double P50, double P99, double Max);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<RunResult>))]
internal sealed partial class ResultJson : JsonSerializerContext;
