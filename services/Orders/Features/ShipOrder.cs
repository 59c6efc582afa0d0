using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>A confirmed order has left the warehouse; Inventory removes its units from stock.</summary>
internal static class ShipOrder
{
    /// <param name="Carrier">Who ships it.</param>
    /// <param name="TrackingNumber">The carrier's number.</param>
    [Example("""{"carrier": "DHL", "trackingNumber": "00340434161094021501"}""")]
    public sealed record Request([property: MaxLength(100)] string? Carrier = null, [property: MaxLength(100)] string? TrackingNumber = null);

    /// <summary>Mark an order as shipped</summary>
    /// <remarks>200 with the order. While it is shipped, another request with a different carrier or tracking number replaces them, as a new version;
    /// a value left out is unchanged. 409 <c>illegal-transition</c> unless it is confirmed or shipped.</remarks>
    public static async Task<Results<Ok<OrderView>, ProblemHttpResult>> HandleAsync(
        Guid id, Request? request, HttpContext http, Caller caller, OrderWriter writer, CancellationToken cancellationToken)
    {
        request ??= new();
        var errors = new RequestErrors();
        errors.AllowText(request.Carrier, 100, "$.carrier");
        errors.AllowKey(request.TrackingNumber, 100, "$.trackingNumber");
        return errors.Any
            ? errors.Malformed()
            : await Transitions.ApplyAsync(id, http, caller, writer, "shipped", (order, now) => order.Ship(request.Carrier, request.TrackingNumber, now), cancellationToken);
    }
}
