namespace OrderInventory.Load.Setup;

/// <summary>What orders are made of.</summary>
internal sealed record Catalogue(IReadOnlyList<Guid> Products, IReadOnlyList<Guid> Customers);
