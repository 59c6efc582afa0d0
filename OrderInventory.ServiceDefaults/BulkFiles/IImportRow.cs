using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>A row of a file. In NDJSON it has the members of the type; in CSV it is parsed from cells.</summary>
public interface IImportRow<TSelf>
    where TSelf : class, IImportRow<TSelf>
{
    /// <summary>The columns that a CSV file may have. The first one is the key.</summary>
    static abstract IReadOnlyList<string> Columns { get; }

    /// <summary>Identifies the row in the report.</summary>
    string Key { get; }

    /// <summary>Notes which columns are missing.</summary>
    static abstract void CheckHeader(IReadOnlyCollection<string> header, RequestErrors errors);

    /// <param name="cells">By column, for the columns that the file has. The dictionary is reused after the call.</param>
    /// <param name="errors">Receives what cannot be read; the row is not used then.</param>
    static abstract TSelf Parse(IReadOnlyDictionary<string, string> cells, RequestErrors errors);
}
