namespace OrderInventory.Inventory.Domain;

/// <summary>Wanted units of a product.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, 1 or more; lines of the same product are summed.</param>
public sealed record HoldLine(Guid ProductId, long Quantity);
