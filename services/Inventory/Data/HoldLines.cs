using System.Text.Json;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Data;

/// <summary>The column <c>holds.lines</c>: the requested units, one line per product.</summary>
internal static class HoldLines
{
    public static string Write(IReadOnlyDictionary<Guid, long> wanted) =>
        JsonSerializer.Serialize([.. wanted.Select(line => new HoldLine(line.Key, line.Value))], InventoryJson.Default.IReadOnlyListHoldLine);

    public static IReadOnlyDictionary<Guid, long> Read(string json) =>
        ProductSums.Of(JsonSerializer.Deserialize(json, InventoryJson.Default.IReadOnlyListHoldLine)!, line => line.ProductId, line => line.Quantity);
}
