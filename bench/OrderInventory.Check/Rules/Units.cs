using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

/// <summary>Sums of lines by product.</summary>
internal static class Units
{
    public static Dictionary<Guid, long> Sum(IEnumerable<Line> lines) => Sum(lines.Select(line => (line.ProductId, line.Quantity)));

    public static Dictionary<Guid, long> Sum(IEnumerable<StoredLine> lines) => Sum(lines.Select(line => (line.ProductId, line.Quantity)));

    public static Dictionary<Guid, long> Sum(IEnumerable<(Guid Product, long Quantity)> lines) =>
        lines.GroupBy(line => line.Product, line => line.Quantity).Select(group => (group.Key, Sum: group.Sum())).Where(sum => sum.Sum != 0).ToDictionary(sum => sum.Key, sum => sum.Sum);

    public static bool Same(IReadOnlyDictionary<Guid, long> one, IReadOnlyDictionary<Guid, long> other) =>
        one.Count == other.Count && one.All(sum => other.GetValueOrDefault(sum.Key) == sum.Value);

    public static bool Same(IEnumerable<Line> one, IEnumerable<Line> other) => Same(Sum(one), Sum(other));

    public static string Text(IEnumerable<Line>? lines) => lines is null ? "nothing" : Text(Sum(lines));

    public static string Text(IReadOnlyDictionary<Guid, long> sums) => sums.Count == 0 ? "nothing" : string.Join(", ", sums.Select(sum => $"{sum.Value} × {sum.Key}"));
}
