namespace OrderInventory.Contracts.Orders;

/// <summary>One line of an order, with the product's name and price as they were when it was placed.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Sku">Its stock keeping unit at placement.</param>
/// <param name="Name">Its name at placement.</param>
/// <param name="Quantity">Units, at least 1.</param>
/// <param name="UnitPrice">Price of one unit at placement.</param>
public sealed record OrderLine(Guid ProductId, string Sku, string Name, int Quantity, Money UnitPrice);

/// <summary>A product with too few available units for an order.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Requested">Units requested, summed over the order's lines.</param>
/// <param name="Available">Units that were available when Inventory decided.</param>
public sealed record Shortage(Guid ProductId, long Requested, long Available);

/// <summary>Why an order or a revision was refused.</summary>
/// <param name="Code">Stable code; <c>insufficientStock</c>, or <c>undeliverable</c>.</param>
/// <param name="Lines">The products that were short; none when it was undeliverable.</param>
public sealed record Rejection(string Code, IReadOnlyList<Shortage> Lines)
{
    /// <summary>The code of a shortage.</summary>
    public const string InsufficientStock = "insufficientStock";

    /// <summary>The code when the broker permanently refuses the event that Inventory would have to answer.</summary>
    public const string Undeliverable = "undeliverable";
}
