namespace OrderInventory.Inventory.Domain;

/// <summary>Lines of one product count as one sum: checked one by one, 6 + 6 would fit into 10.</summary>
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
