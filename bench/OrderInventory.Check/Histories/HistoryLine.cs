using System.Text.Json.Serialization;

namespace OrderInventory.Check.Histories;

/// <summary>A line of a history file (NDJSON). Times are milliseconds since the start of the run, by one monotonic clock.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RunLine), "run")]
[JsonDerivedType(typeof(Operation), "operation")]
[JsonDerivedType(typeof(FaultLine), "fault")]
[JsonDerivedType(typeof(SampleLine), "sample")]
internal abstract record HistoryLine
{
    /// <summary>The line number in the file, from 1; 0 while it is not in a file.</summary>
    [JsonIgnore]
    public int Number { get; set; }
}

/// <summary>The first line: the input of the run.</summary>
/// <param name="StartedAt">The time 0.</param>
/// <param name="Seed">The seed of all random choices.</param>
/// <param name="Customers">The customers who ordered.</param>
/// <param name="Products">The products that were ordered.</param>
/// <param name="Registers">Products that nobody ordered, with their initial units on hand: only adjustments and stocktakes changed them.</param>
internal sealed record RunLine(
    DateTimeOffset StartedAt, int Seed, IReadOnlyList<Guid> Customers, IReadOnlyList<Guid> Products, IReadOnlyList<Line> Registers) : HistoryLine;

/// <summary>Units of a product.</summary>
internal sealed record Line(Guid ProductId, long Quantity);

/// <summary>A resource as a list or a single read showed it.</summary>
internal sealed record Seen(Guid Id, long Version);

/// <summary>What a request asked for.</summary>
internal enum Op
{
    Place,
    Read,
    List,
    Recent,
    Cancel,
    Revise,
    Ship,
    Deliver,
    Return,
    Hold,
    ReleaseHold,
    ReadStock,
    Adjust,
    Stocktake,
}

/// <summary>
/// One HTTP request. Without a <see cref="Status"/> its outcome is unknown. A request that is sent again with its key is another line with the
/// same <see cref="Key"/>.
/// </summary>
internal sealed record Operation : HistoryLine
{
    public required int Client { get; init; }
    public required Op Op { get; init; }

    /// <summary>When it was due; in a closed loop the same as <see cref="Start"/>.</summary>
    public required double Intended { get; init; }

    public required double Start { get; init; }

    /// <summary>When its answer was complete, or the client gave up.</summary>
    public required double End { get; init; }

    /// <summary>The HTTP status; null when there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>Why there was no answer, or the last part of a problem's type.</summary>
    public string? Error { get; init; }

    /// <summary>The answer's Retry-After, in seconds.</summary>
    public double? RetryAfter { get; init; }

    /// <summary>The Idempotency-Key.</summary>
    public string? Key { get; init; }

    public Guid? Customer { get; init; }
    public Guid? Order { get; init; }
    public Guid? Product { get; init; }
    public Guid? Hold { get; init; }

    /// <summary>The version in If-Match.</summary>
    public long? IfMatch { get; init; }

    /// <summary>The version that the answer showed.</summary>
    public long? Version { get; init; }

    /// <summary>The order's status that the answer showed.</summary>
    public string? State { get; init; }

    /// <summary>The requested lines.</summary>
    public IReadOnlyList<Line>? Lines { get; init; }

    /// <summary>Units that an adjustment requested to add.</summary>
    public long? Delta { get; init; }

    /// <summary>The units on hand that a stocktake expected.</summary>
    public long? Expected { get; init; }

    /// <summary>The units that a stocktake counted.</summary>
    public long? Counted { get; init; }

    /// <summary>Units on hand in the answer to an adjustment or a stocktake, including a refused stocktake.</summary>
    public long? OnHand { get; init; }

    /// <summary>
    /// Whether the answer is a replay for an earlier request with the same key: it shows the current state, not the state at that time.
    /// </summary>
    public bool? Replayed { get; init; }

    /// <summary>The reference in the ledger, unique for each adjustment and stocktake.</summary>
    public string? Reference { get; init; }

    /// <summary>The items of a list, in its order.</summary>
    public IReadOnlyList<Seen>? Items { get; init; }

    /// <summary>Whether a list was complete.</summary>
    public bool? IsWhole { get; init; }

    /// <summary>Whether the system was overloaded, or a dependency did not answer.</summary>
    [JsonIgnore]
    public bool IsTurnedAway => Status is 429 or 503;

    [JsonIgnore]
    public bool IsAcknowledged => Status is >= 200 and < 300;

    /// <summary>
    /// Whether the answer says that nothing was done. 409 in-flight, 429 and 5xx do not say so about an earlier request with the same key.
    /// </summary>
    [JsonIgnore]
    public bool IsRefused => Status is >= 400 and < 500 and not (408 or 429) && Error != "idempotency-in-flight";

    /// <summary>Whether the client cannot know if the request changed something.</summary>
    [JsonIgnore]
    public bool IsOpen => !IsAcknowledged && !IsRefused;
}

/// <summary>A fault that was injected into the system.</summary>
/// <param name="At">When it began.</param>
/// <param name="Until">When it ended; the same for a kill.</param>
/// <param name="What">The kind of fault, such as <c>kill</c>.</param>
/// <param name="Where">Its place, such as <c>orders-1</c>.</param>
/// <param name="Poison">The <c>ce_id</c>s of unreadable records, which must become dead letters.</param>
internal sealed record FaultLine(double At, double Until, string What, string Where, IReadOnlyList<string>? Poison = null) : HistoryLine;

/// <summary>Figures from the databases and Kafka at a moment; null where there was no answer.</summary>
/// <param name="At">The time.</param>
/// <param name="Outbox">Rows in all outboxes.</param>
/// <param name="OutboxAge">Age of the oldest row, in seconds.</param>
/// <param name="Lag">Records that the consumers have not committed yet.</param>
/// <param name="Waiting">Orders that wait for Inventory.</param>
internal sealed record SampleLine(double At, long? Outbox, double? OutboxAge, long? Lag, long? Waiting) : HistoryLine;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HistoryLine))]
internal sealed partial class HistoryJson : JsonSerializerContext;
