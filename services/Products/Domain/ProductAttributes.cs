namespace OrderInventory.Products.Domain;

/// <summary>
/// What distinguishes products beyond their details: colour, size … Names and values, compared by content and always sorted by name, so that
/// the same attributes look the same wherever they were stored.
/// </summary>
internal sealed class ProductAttributes : IEquatable<ProductAttributes>
{
    public static readonly ProductAttributes None = new(new(StringComparer.Ordinal));

    private readonly SortedDictionary<string, string> _values;

    private ProductAttributes(SortedDictionary<string, string> values) => _values = values;

    public IReadOnlyDictionary<string, string> Values => _values;

    public static ProductAttributes Of(IReadOnlyDictionary<string, string>? values) =>
        values is null or { Count: 0 } ? None : new(new SortedDictionary<string, string>(new Dictionary<string, string>(values), StringComparer.Ordinal));

    public bool Equals(ProductAttributes? other) => other is not null && _values.SequenceEqual(other._values);

    public override bool Equals(object? obj) => Equals(obj as ProductAttributes);

    public override int GetHashCode() => _values.Aggregate(_values.Count, (hash, pair) => HashCode.Combine(hash, pair.Key, pair.Value));
}
