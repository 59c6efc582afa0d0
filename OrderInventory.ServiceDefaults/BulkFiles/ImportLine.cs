namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>What was read from a file for one row: the row, or what is wrong with it.</summary>
/// <param name="Number">The line on which it begins; the first line is 1.</param>
/// <param name="Key">The row's key; null when it could not be read.</param>
/// <param name="Row">Null when it could not be read.</param>
/// <param name="Errors">A map from JSON path to messages; null when there are none.</param>
internal sealed record ImportLine<TRow>(long Number, string? Key, TRow? Row, IReadOnlyDictionary<string, string[]>? Errors)
    where TRow : class
{
    public static ImportLine<TRow> Bad(long number, string? key, string message) =>
        new(number, key, null, new Dictionary<string, string[]> { ["$"] = [message] });
}
