namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>
/// Stores the rows of an import. A batch is one transaction and depends on nothing that came before, so an import that broke off is simply
/// sent again.
/// </summary>
/// <typeparam name="TRow">A row as it was read.</typeparam>
/// <typeparam name="TOutcome">What can become of a good one; the report counts each.</typeparam>
public interface IRowWriter<TRow, TOutcome>
    where TRow : class
    where TOutcome : struct, Enum
{
    /// <summary>Most rows of a batch.</summary>
    int BatchSize { get; }

    /// <summary>A line on progress comes with the batch that completes so many rows.</summary>
    int ProgressEvery { get; }

    /// <summary>Rows take effect in their order, and a bad one stops no other. There is a result for each, in the same order.</summary>
    Task<IReadOnlyList<RowResult<TOutcome>>> WriteAsync(IReadOnlyList<TRow> rows, CancellationToken cancellationToken);
}

/// <summary>What became of one row: an outcome, or what is wrong with it, as a map from JSON path to messages.</summary>
public sealed record RowResult<TOutcome>
    where TOutcome : struct, Enum
{
    public RowResult(TOutcome outcome) => Outcome = outcome;

    public RowResult(IReadOnlyDictionary<string, string[]> errors) => Errors = errors;

    public RowResult(string path, string message) => Errors = new Dictionary<string, string[]> { [path] = [message] };

    public TOutcome Outcome { get; }

    public IReadOnlyDictionary<string, string[]>? Errors { get; }
}
