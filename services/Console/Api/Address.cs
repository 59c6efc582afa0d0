namespace OrderInventory.Console.Api;

/// <summary>Builds paths with a query, for the API and for pages; empty values are left out.</summary>
internal static class Address
{
    public static string Of(string path, params (string Name, string? Value)[] query) => path
        + QueryString.Create(query.Where(part => !string.IsNullOrWhiteSpace(part.Value)).Select(part => new KeyValuePair<string, string?>(part.Name, part.Value!.Trim())));
}
