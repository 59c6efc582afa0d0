using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders;

/// <summary>An order, as the API shows it.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="Status">Its current status.</param>
/// <param name="Lines">The valid lines: while a revision is pending, still the confirmed ones.</param>
/// <param name="Total">Sum of the lines.</param>
/// <param name="Rejection">Why it was rejected, or null.</param>
/// <param name="Revision">The latest revision of the lines and its outcome, or null.</param>
/// <param name="Carrier">Who ships it, once shipped and if given.</param>
/// <param name="TrackingNumber">The carrier's number, once shipped and if given.</param>
/// <param name="HoldId">The hold that was named at placement, or null.</param>
/// <param name="ShipTo">The delivery address; null when not given, or when the customer was erased.</param>
/// <param name="Returns">What came back after shipping, oldest first.</param>
/// <param name="Version">Grows with every change; also the ETag.</param>
/// <param name="PlacedAt">When it was accepted, UTC.</param>
/// <param name="UpdatedAt">Time of the last change, UTC.</param>
public sealed record OrderView(
    Guid Id, Guid CustomerId, OrderStatus Status, IReadOnlyList<OrderLineView> Lines, Money Total, Rejection? Rejection, RevisionView? Revision,
    string? Carrier, string? TrackingNumber, Guid? HoldId, ShipTo? ShipTo, IReadOnlyList<OrderReturn> Returns, long Version, DateTimeOffset PlacedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>
    /// Distinguishes the ETag after an erasure, so that a copy with the address is not taken for current. An erasure removes
    /// <see cref="ShipTo"/> without a new version: a new one would be an event, and Inventory's answer to the waiting version would not count.
    /// </summary>
    internal string? ETagMark { get; private init; }

    internal OrderView SetETag(HttpContext http)
    {
        ETags.Set(http, Version, ETagMark);
        return this;
    }

    /// <summary>201, with the order and its location.</summary>
    internal Created<OrderView> ToCreated(HttpContext http) => TypedResults.Created($"/api/orders/{Id}", SetETag(http));

    internal static OrderView Of(Order order) => new(
        order.Id, order.CustomerId, order.Status, OrderLineView.Of(order.Lines), order.TotalPrice, order.Rejection, RevisionView.Of(order.Revision),
        order.Carrier, order.TrackingNumber, order.HoldId, order.ShipTo, order.Returns, order.Version, order.PlacedAt, order.UpdatedAt)
    {
        ETagMark = order.ShipToErased ? "erased" : null,
    };
}

/// <summary>One line of an order, with the product's name and price as they were at placement.</summary>
public sealed record OrderLineView(Guid ProductId, string Sku, string Name, int Quantity, Money UnitPrice, Money Total)
{
    internal static IReadOnlyList<OrderLineView> Of(IReadOnlyList<OrderLine> lines) =>
        [.. lines.Select(l => new OrderLineView(l.ProductId, l.Sku, l.Name, l.Quantity, l.UnitPrice, l.UnitPrice with { Amount = l.Quantity * l.UnitPrice.Amount }))];
}

/// <summary>A requested change of the lines, and its outcome.</summary>
public sealed record RevisionView(RevisionStatus Status, IReadOnlyList<OrderLineView> Lines, Rejection? Rejection)
{
    internal static RevisionView? Of(Revision? revision) =>
        revision is null ? null : new(revision.Status, OrderLineView.Of(revision.Lines), revision.Rejection);
}
