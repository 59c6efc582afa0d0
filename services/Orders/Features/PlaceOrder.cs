using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.Orders.Pricing;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Accepts an order. Names and prices are copied from the catalogue, never taken from the caller. Stock is checked first: a shortage is
/// refused; 'enough' is only advice, the reservation decides. Once 201 is returned, the order and its <c>order.created</c> are on disk.
/// </summary>
internal static class PlaceOrder
{
    /// <summary>How often an order is priced at most: again whenever something changed between pricing and the write.</summary>
    private const int MaxAttempts = 5;

    /// <param name="CustomerId">Who orders.</param>
    /// <param name="Lines">1 to 500 lines; two lines of one product are kept as two and reserved as one sum.</param>
    /// <param name="HoldId">A hold in Inventory that becomes the reservation.</param>
    /// <param name="ShipTo">The delivery address; kept with the order until the customer is erased.</param>
    [Example("""{"customerId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0002", "lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}], "shipTo": {"name": "Maria Anders", "line1": "Obere Str. 57", "postalCode": "12209", "city": "Berlin", "country": "DE"}}""")]
    public sealed record Request(Guid CustomerId, IReadOnlyList<WantedLine> Lines, Guid? HoldId = null, ShipTo? ShipTo = null);

    /// <summary>Place an order</summary>
    /// <remarks>
    /// 201 with the order. 400 malformed or without Idempotency-Key; 409 <c>insufficient-stock</c> with the short lines, or
    /// <c>idempotency-in-flight</c>; 422 unknown customer or product, mixed currency, <c>order-too-large</c>, or a key that belongs to another request; 503 when
    /// a required dependency does not answer.
    /// </remarks>
    public static async Task<Results<Created<OrderView>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, OrderPricing pricing, StockAdvice stock, PlacementWriter writer, Replays replays, OrderWaiters waiters,
        RecentOrders recent, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Validate(request) is { } malformed)
        {
            return malformed;
        }

        if (ReadKey(http, out var key) is { } keyProblem)
        {
            return keyProblem;
        }

        if (!caller.MaySee(request.CustomerId))
        {
            return OrderPricing.UnknownCustomer(request.CustomerId);
        }

        var fingerprint = RequestFingerprint.Of(request, OrdersJson.Default.Request);
        var checking = request.HoldId is { } hold ? stock.CheckAsync(request.Lines, null, hold, request.CustomerId, cancellationToken) : stock.CheckAsync(request.Lines, cancellationToken);
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            var (priced, problem) = await pricing.PriceAsync(request.CustomerId, request.Lines, fresh: attempt > 1, http, cancellationToken);
            problem ??= stock.Refuse(http, await checking);
            if (problem is not null)
            {
                // An order that was accepted for this key before stays accepted, whatever has changed since.
                return await replays.FindAsync(caller.Sub, request.CustomerId, key, fingerprint, http, cancellationToken) ?? problem;
            }

            var now = time.GetStorableNow();
            var order = Order.Place(Guid.CreateVersion7(now), request.CustomerId, priced!.Lines, request.HoldId, request.ShipTo, now);
            var created = OutboxMessage.Create(OrderEvents.Created, order.Id, order.Version, OrderEvents.CreatedOf(order), now);
            switch (await writer.InsertAsync(new(order, Actor.Of(caller), key, fingerprint.Hash, created, priced.Copies), cancellationToken))
            {
                case InsertResult.Inserted:
                    recent.Changed(order.CustomerId);
                    return (await waiters.WaitAsync(http, order.Id, cancellationToken) ?? OrderView.Of(order)).ToCreated(http);
                case InsertResult.KeyIsTaken:
                    return await replays.FindAsync(caller.Sub, request.CustomerId, key, fingerprint, http, cancellationToken) ?? IdempotentCreate.InFlight(http);
                case InsertResult.KeyIsInFlight:
                    return IdempotentCreate.InFlight(http);
                case InsertResult.CopiesChanged:
                    break;
            }
        }

        return Problems.Unavailable(http, "Products");
    }

    private static ProblemHttpResult? ReadKey(HttpContext http, out string key) => IdempotentCreate.ReadKey(http, out key) switch
    {
        null when key.Length == 0 => Problems.Of("idempotency-key-required", "Idempotency-Key is required.", StatusCodes.Status400BadRequest,
            "Send a new key with each new order, and the same key when you send the same order again."),
        var problem => problem,
    };

    private static ProblemHttpResult? Validate(Request request)
    {
        var errors = new RequestErrors();
        errors.Require(request.CustomerId != Guid.Empty, "$.customerId", "A customer is required.");
        WantedLine.Validate(request.Lines, errors);
        request.ShipTo?.Validate(errors, "$.shipTo");
        return errors.Any ? errors.Malformed() : null;
    }
}
