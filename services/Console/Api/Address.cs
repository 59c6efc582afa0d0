namespace OrderInventory.Console.Api;

/// <summary>Builds paths with a query, for the API and for pages; empty values are left out. The value of <c>q</c> may have been pasted.</summary>
internal static class Address
{
    public static string Of(string path, params (string Name, string? Value)[] query) => path
        + QueryString.Create(query
            .Select(part => new KeyValuePair<string, string?>(part.Name, part.Name == "q" ? part.Value?.ToSearch() : part.Value?.Trim()))
            .Where(part => part.Value is { Length: > 0 }));
}
