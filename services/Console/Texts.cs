namespace OrderInventory.Console;

/// <summary>What pages say. The English text is its own key; Resources has the other languages.</summary>
public sealed class Texts;
