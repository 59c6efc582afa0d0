namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>The formats of bulk files.</summary>
public static class MediaTypes
{
    public const string Csv = "text/csv";

    /// <summary>Newline-delimited JSON: one value per line. Import reports use it too.</summary>
    public const string Ndjson = "application/x-ndjson";
}
