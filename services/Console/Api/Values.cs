namespace OrderInventory.Console.Api;

internal static class Values
{
    /// <summary>What somebody has typed, without blanks around it; null when that is nothing.</summary>
    public static string? OrNull(this string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>The beginning of an id, as pages show it. A search for it finds what it belongs to.</summary>
    public static string Short(this Guid id) => id.ToString()[..13];
}
