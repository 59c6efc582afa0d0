using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Accepts an order. Names and prices are copied from the catalogue, never taken from the caller. Inventory is asked first: short is
/// refused; enough is only advice, the reservation decides. Once answered 201 the order, and its <c>order.created</c>, are on disk.
/// </summary>
internal static class PlaceOrder
{
    public const int MaxLines = 500;
    public const int MaxQuantity = 1_000_000;

    /// <param name="CustomerId">Who orders.</param>
    /// <param name="Lines">1 to 500 lines; two lines of one product are kept as two and reserved as one sum.</param>
    /// <param name="HoldId">A hold of Inventory's that becomes the reservation.</param>
    /// <param name="ShipTo">Where the goods go; kept with the order until the customer is erased.</param>
    [Example("""{"customerId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0002", "lines": [{"productId": "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003", "quantity": 3}], "shipTo": {"name": "Maria Anders", "line1": "Obere Str. 57", "postalCode": "12209", "city": "Berlin", "country": "DE"}}""")]
    public sealed record Request(Guid CustomerId, IReadOnlyList<Line> Lines, Guid? HoldId = null, ShipTo? ShipTo = null);

    /// <param name="ProductId">The product.</param>
    /// <param name="Quantity">Whole units, at least 1.</param>
    public sealed record Line(Guid ProductId, int Quantity);

    /// <summary>Place an order</summary>
    /// <remarks>
    /// 201 with the order. 400 malformed or without Idempotency-Key; 409 <c>insufficient-stock</c> with the short lines, or
    /// <c>idempotency-in-flight</c>; 422 unknown customer or product, mixed currency, <c>order-too-large</c>, or a key that belongs to another request; 503 when
    /// a dependency that is needed does not answer.
    /// </remarks>
    public static async Task<Results<Created<OrderView>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Placements placements, StockChecker stock, Catalogue catalogue, EventBudget budget, OrderReader reader,
        OrderWaiters waiters, RecentOrders recent, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Validate(request) is { } malformed)
        {
            return malformed;
        }

        if (ReadKey(http, out var key) is { } keyProblem)
        {
            return keyProblem;
        }

        var checking = stock.AskAsync(request.Lines, null, request.HoldId, cancellationToken);
        var productIds = request.Lines.Select(l => l.ProductId).Distinct().ToArray();
        var facts = await placements.ReadAsync(request.CustomerId, key, productIds, cancellationToken);
        var fingerprint = RequestFingerprint.Of(request, OrdersJson.Default.Request);
        if (facts.EarlierOrder is { } earlier)
        {
            return await ReplayAsync(earlier, fingerprint, http, reader, waiters, cancellationToken);
        }

        var (lines, problem) = await PriceAsync(request, facts, catalogue, http, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }

        if ((budget.Refuse(lines!) ?? stock.Refuse(http, await checking)) is { } refused)
        {
            return refused;
        }

        var now = time.GetStorableNow();
        var order = Order.Place(Guid.CreateVersion7(now), request.CustomerId, lines!, request.HoldId, request.ShipTo, now);
        var created = OutboxMessage.Create(OrderEvents.Created, order.Id, order.Version, OrderEvents.CreatedOf(order), now);
        var inserted = await placements.InsertAsync(order, key, fingerprint.Hash, created, cancellationToken);
        if (inserted == InsertResult.KeyIsInFlight)
        {
            return IdempotentCreate.InFlight(http);
        }

        if (inserted == InsertResult.KeyIsTaken)
        {
            facts = await placements.ReadAsync(request.CustomerId, key, productIds, cancellationToken);
            return facts.EarlierOrder is { } winner
                ? await ReplayAsync(winner, fingerprint, http, reader, waiters, cancellationToken)
                : IdempotentCreate.InFlight(http);
        }

        recent.Changed(order.CustomerId);
        return Answer(http, await waiters.WaitAsync(http, order.Id, cancellationToken) ?? OrderView.Of(order));
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
        ValidateLines(request.Lines, errors);
        request.ShipTo?.Validate(errors, "$.shipTo");
        return errors.Any ? errors.Malformed() : null;
    }

    public static void ValidateLines(IReadOnlyList<Line> lines, RequestErrors errors)
    {
        errors.Require(lines.Count is >= 1 and <= MaxLines, "$.lines", $"1 to {MaxLines} lines are required.");
        for (var i = 0; i < lines.Count && i < MaxLines; i++)
        {
            if (lines[i] is null or { Quantity: < 1 or > MaxQuantity })
            {
                errors.Add($"$.lines[{i}].quantity", $"1 to {MaxQuantity} is allowed.");
            }
        }
    }

    private static async Task<(IReadOnlyList<OrderLine>? Lines, ProblemHttpResult? Problem)> PriceAsync(
        Request request, PlacementFacts facts, Catalogue catalogue, HttpContext http, CancellationToken cancellationToken)
    {
        var customer = await catalogue.ResolveCustomerAsync(request.CustomerId, facts.Customer, cancellationToken);
        var missing = request.Lines.Select(l => l.ProductId).Where(id => !facts.Products.ContainsKey(id)).Distinct().ToList();
        var asked = await catalogue.ResolveProductsAsync(missing, cancellationToken);
        if (customer is null || asked is null)
        {
            return (null, Problems.Unavailable(http, customer is null ? "Customers" : "Products"));
        }

        if (customer != CustomerStatus.Active)
        {
            return (null, Problems.Unprocessable("unknown-customer", "There is no such customer.",
                new Dictionary<string, string[]> { ["$.customerId"] = [$"No customer has the id {request.CustomerId}."] }));
        }

        foreach (var product in asked)
        {
            facts.Products[product.ProductId] = product;
        }

        var errors = new RequestErrors();
        var lines = new List<OrderLine>(request.Lines.Count);
        for (var i = 0; i < request.Lines.Count; i++)
        {
            var line = request.Lines[i];
            if (!facts.Products.TryGetValue(line.ProductId, out var product) || product.Status == ProductStatus.Deleted)
            {
                errors.Add($"$.lines[{i}].productId", $"No product has the id {line.ProductId}.");
            }
            else if (product.Status == ProductStatus.Discontinued)
            {
                errors.Add($"$.lines[{i}].productId", $"Product {product.Sku} is discontinued.");
            }
            else
            {
                lines.Add(new(line.ProductId, product.Sku, product.Name, line.Quantity, new(product.Price, product.Currency)));
            }
        }

        if (errors.Any)
        {
            return (null, errors.Unprocessable("unknown-product", "A product cannot be ordered."));
        }

        return MixedCurrency(lines, lines[0].UnitPrice.Currency) is { } mixed ? (null, mixed) : (lines, null);
    }

    public static ProblemHttpResult? MixedCurrency(IReadOnlyList<OrderLine> lines, string currency)
    {
        var errors = new RequestErrors();
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].UnitPrice.Currency != currency)
            {
                errors.Add($"$.lines[{i}].productId", $"Its price is in {lines[i].UnitPrice.Currency}, the order's in {currency}.");
            }
        }

        return errors.Any ? errors.Unprocessable("mixed-currency", "An order has one currency.") : null;
    }

    /// <summary>The same request came again: the order as it is now. Another request with the same key is refused.</summary>
    private static async Task<Results<Created<OrderView>, ProblemHttpResult>> ReplayAsync(
        (Guid OrderId, byte[] Fingerprint) earlier, RequestFingerprint fingerprint, HttpContext http, OrderReader reader, OrderWaiters waiters,
        CancellationToken cancellationToken)
    {
        // Of a customer who has been erased there is none any more, and the key still stands for its order.
        if (earlier.Fingerprint.Length > 0 && !fingerprint.Is(earlier.Fingerprint))
        {
            return IdempotentCreate.Reused();
        }

        var order = await waiters.WaitAsync(http, earlier.OrderId, cancellationToken) ?? await reader.FindAsync(earlier.OrderId, cancellationToken);
        http.Response.Headers[IdempotentCreate.ReplayedHeader] = "true";
        return Answer(http, order!);
    }

    private static Created<OrderView> Answer(HttpContext http, OrderView order) =>
        TypedResults.Created($"/api/orders/{order.Id}", order.SetETag(http));
}
