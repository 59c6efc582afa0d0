namespace OrderInventory.Console;

/// <summary>The texts of pages. The English text is its own key; Resources has the other languages.</summary>
public sealed class Texts;
