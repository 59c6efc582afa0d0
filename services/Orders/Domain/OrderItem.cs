using OrderInventory.Contracts.Orders;

namespace OrderInventory.Orders.Domain;

/// <summary>One line of an order as it is stored; the currency is the order's.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="LineNo">From 1, in the order in which the lines were requested.</param>
/// <param name="ProductId">The product.</param>
/// <param name="Sku">At placement.</param>
/// <param name="Name">At placement.</param>
/// <param name="Quantity">Units.</param>
/// <param name="UnitPrice">At placement.</param>
internal sealed record OrderItem(Guid OrderId, int LineNo, Guid ProductId, string Sku, string Name, int Quantity, decimal UnitPrice)
{
    public static List<OrderItem> Of(Guid orderId, IReadOnlyList<OrderLine> lines) =>
        [.. lines.Select((line, i) => new OrderItem(orderId, i + 1, line.ProductId, line.Sku, line.Name, line.Quantity, line.UnitPrice.Amount))];
}
