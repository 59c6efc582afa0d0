namespace OrderInventory.Console.Api;

internal static class Values
{
    /// <summary>A typed text without surrounding blanks; null when nothing is left.</summary>
    public static string? OrNull(this string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>The beginning of an id, as pages show it. A search for it finds the object.</summary>
    public static string Short(this Guid id) => id.ToString()[..13];
}
