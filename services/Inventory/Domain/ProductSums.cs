namespace OrderInventory.Inventory.Domain;

/// <summary>Sums lines by product: checked one by one, lines of 6 and 6 would both fit into 10.</summary>
internal static class ProductSums
{
    public static Dictionary<Guid, long> Of<T>(IEnumerable<T> lines, Func<T, Guid> product, Func<T, long> quantity)
    {
        var sums = new Dictionary<Guid, long>();
        foreach (var line in lines)
        {
            sums[product(line)] = sums.GetValueOrDefault(product(line)) + quantity(line);
        }

        return sums;
    }
}
