namespace OrderInventory.Console.Components.Parts;

/// <summary>Text from people between the page's own words and numbers.</summary>
internal static class Foreign
{
    /// <summary>
    /// The text between the characters FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: a name that is written from right to left does not change
    /// the order of what surrounds it.
    /// </summary>
    public static string Isolated(this string text) => $"\u2068{text}\u2069";
}
