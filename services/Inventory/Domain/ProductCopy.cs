namespace OrderInventory.Inventory.Domain;

/// <summary>The local copy of a product, kept up to date by <c>product.updated</c>.</summary>
internal sealed class ProductCopy
{
    public Guid ProductId { get; init; }
    public long Version { get; init; }
    public required string Sku { get; init; }
    public required string Name { get; init; }

    /// <summary>As in the event: <c>active</c>, <c>discontinued</c> or <c>deleted</c>.</summary>
    public required string Status { get; init; }
}
