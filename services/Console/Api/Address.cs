namespace OrderInventory.Console.Api;

/// <summary>Paths with a query, of the API's and of the pages': what is empty is left out.</summary>
internal static class Address
{
    public static string Of(string path, params (string Name, string? Value)[] query) => path
        + QueryString.Create(query.Where(part => !string.IsNullOrWhiteSpace(part.Value)).Select(part => new KeyValuePair<string, string?>(part.Name, part.Value!.Trim())));
}
