namespace OrderInventory.Load.Setup;

/// <summary>The products and customers of the orders.</summary>
internal sealed record Catalogue(IReadOnlyList<Guid> Products, IReadOnlyList<Guid> Customers);
