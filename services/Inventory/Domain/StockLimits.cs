namespace OrderInventory.Inventory.Domain;

internal static class StockLimits
{
    /// <summary>Maximum units of one product: far from any overflow, even of sums, and exact in every client's JSON numbers.</summary>
    public const long MaxUnits = 1_000_000_000_000;

    /// <summary>Maximum lines of a stock check, a hold or an order.</summary>
    public const int MaxLines = 500;
}
