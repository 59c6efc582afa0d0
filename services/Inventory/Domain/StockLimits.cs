namespace OrderInventory.Inventory.Domain;

internal static class StockLimits
{
    /// <summary>Most units of one product: far from any overflow, also of sums, and exact in every client's JSON numbers.</summary>
    public const long MaxUnits = 1_000_000_000_000;

    /// <summary>Most lines of a question, a hold or an order.</summary>
    public const int MaxLines = 500;
}
