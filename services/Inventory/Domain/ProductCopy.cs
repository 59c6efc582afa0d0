namespace OrderInventory.Inventory.Domain;

/// <summary>What is known here of a product, kept current by <c>product.updated</c>.</summary>
internal sealed class ProductCopy
{
    public Guid ProductId { get; init; }
    public long Version { get; init; }
    public required string Sku { get; init; }
    public required string Name { get; init; }

    /// <summary>As in the event: <c>active</c>, <c>discontinued</c> or <c>deleted</c>.</summary>
    public required string Status { get; init; }
}
