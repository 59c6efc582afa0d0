namespace OrderInventory.Orders.Domain;

/// <summary>What somebody wants of a product; two lines of one product stay two.</summary>
internal readonly record struct WantedLine(Guid ProductId, int Quantity);
