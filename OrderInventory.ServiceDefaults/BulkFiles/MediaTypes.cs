namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>The forms of files with many rows.</summary>
public static class MediaTypes
{
    public const string Csv = "text/csv";

    /// <summary>Newline-delimited JSON: one value a line. The reports of imports are that, too.</summary>
    public const string Ndjson = "application/x-ndjson";
}
