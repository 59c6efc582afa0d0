namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>
/// Stores the rows of an import. A batch is one transaction and does not depend on earlier batches, so an import that broke off is simply
/// sent again.
/// </summary>
/// <typeparam name="TRow">A row as it was read.</typeparam>
/// <typeparam name="TOutcome">The possible outcomes of a valid row; the report counts each.</typeparam>
public interface IRowWriter<TRow, TOutcome>
    where TRow : class
    where TOutcome : struct, Enum
{
    /// <summary>The largest number of rows in a batch.</summary>
    int BatchSize { get; }

    /// <summary>A progress line is written after the batch that completes this many rows.</summary>
    int ProgressEvery { get; }

    /// <summary>Stores rows in their order; a bad row does not stop the others. Returns a result for each row, in the same order.</summary>
    Task<IReadOnlyList<RowResult<TOutcome>>> WriteAsync(IReadOnlyList<TRow> rows, CancellationToken cancellationToken);
}

/// <summary>The result of one row: an outcome, or what is wrong with the row, as a map from JSON path to messages.</summary>
public sealed record RowResult<TOutcome>
    where TOutcome : struct, Enum
{
    public RowResult(TOutcome outcome) => Outcome = outcome;

    public RowResult(IReadOnlyDictionary<string, string[]> errors) => Errors = errors;

    public RowResult(string path, string message) => Errors = new Dictionary<string, string[]> { [path] = [message] };

    public TOutcome Outcome { get; }

    public IReadOnlyDictionary<string, string[]>? Errors { get; }
}
