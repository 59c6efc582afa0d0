using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

internal static class StockLimits
{
    /// <summary>Most units of one product: far from any overflow, also of sums, and exact in every client's JSON numbers.</summary>
    public const long MaxUnits = 1_000_000_000_000;

    public static void CheckUnits(long onHand, long? lowStockThreshold, RequestErrors errors)
    {
        errors.Require(onHand is >= 0 and <= MaxUnits, "$.onHand", $"0 to {MaxUnits} is allowed.");
        errors.Require(lowStockThreshold is null or (>= 0 and <= MaxUnits), "$.lowStockThreshold", $"0 to {MaxUnits} is allowed.");
    }

    public static ProblemHttpResult BelowReserved(StockItem item) => Problems.Conflict(
        "stock-below-reserved", "Fewer units than are reserved.", "Orders hold more than would be left.",
        ("onHand", item.OnHand), ("reserved", item.Reserved), ("location", item.Location));

    /// <summary>422 for a location that there is none of; null when it may be named.</summary>
    public static ProblemHttpResult? CheckLocation(StockBatch stock, string location, string path = "$.location") => stock.Locations.ContainsKey(location)
        ? null
        : Problems.Unprocessable("unknown-location", "There is no such location.", new Dictionary<string, string[]> { [path] = ["No location has this code."] });
}
