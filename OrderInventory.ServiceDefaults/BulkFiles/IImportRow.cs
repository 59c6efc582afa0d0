using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>A row of a file. In NDJSON its members are those of the type; in CSV it is made of cells.</summary>
public interface IImportRow<TSelf>
    where TSelf : class, IImportRow<TSelf>
{
    /// <summary>The columns that a CSV file may have. The first one is the key.</summary>
    static abstract IReadOnlyList<string> Columns { get; }

    /// <summary>What the row is about, for the report.</summary>
    string Key { get; }

    /// <summary>Notes which columns are missing.</summary>
    static abstract void CheckHeader(IReadOnlyCollection<string> header, RequestErrors errors);

    /// <param name="cells">By column, as far as the file has it. They are others after the call.</param>
    /// <param name="errors">Notes what cannot be read; the row is not used then.</param>
    static abstract TSelf Parse(IReadOnlyDictionary<string, string> cells, RequestErrors errors);
}
