using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Orders.Tests;

/// <summary>
/// Inventory, Products and Customers as Orders sees them: a real HTTP server on loopback that answers as specified in api.md, with what
/// the test put in, or does not answer.
/// </summary>
internal sealed class Neighbours : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<Guid, (string Sku, decimal Price, string Currency, string Status, string Name)> _products = new();
    private readonly ConcurrentDictionary<Guid, string> _customers = new();

    private int _checks;
    private int _reservationRequests;
    private int _productRequests;
    private int _customerRequests;

    private Neighbours(WebApplication server) => _server = server;

    public string Address => _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>Available units of a product; 1,000 if not set.</summary>
    public ConcurrentDictionary<Guid, long> Available { get; } = new();

    /// <summary>Inventory's answers about orders; 404 for others.</summary>
    public ConcurrentDictionary<Guid, (long OrderVersion, string Outcome)> Reservations { get; } = new();

    /// <summary>The holds named in stock checks.</summary>
    public ConcurrentQueue<Guid?> CheckedHolds { get; } = new();

    /// <summary>What Notifications has recorded; null when it is down.</summary>
    public object[]? Notifications { get; set; } = [];

    /// <summary>How many stock checks Inventory received, whether it answered or not.</summary>
    public int Checks => _checks;

    /// <summary>The products of each stock check.</summary>
    public ConcurrentQueue<Guid[]> CheckedProducts { get; } = new();

    /// <summary>How often Inventory was asked for its decision on an order, whether it answered or not.</summary>
    public int ReservationRequests => _reservationRequests;

    /// <summary>How many of their first requests Products and Customers each fail to answer.</summary>
    public int ProductsFailures { get; set; }

    public int ProductRequests => _productRequests;

    public int CustomerRequests => _customerRequests;

    public bool InventoryIsDown { get; set; }

    /// <summary>Whether a check is answered only after the caller's timeout.</summary>
    public bool InventoryIsSlow { get; set; }

    public bool ProductsIsDown { get; set; }
    public bool CustomersIsDown { get; set; }

    public Guid AddProduct(decimal price = 18.00m, string currency = "EUR", string status = "active", string name = "Chai")
    {
        var id = Guid.CreateVersion7();
        _products[id] = ("TEA-" + id, price, currency, status, name);
        return id;
    }

    /// <summary>Resets the servers to their initial state: all answer, and have no data.</summary>
    public void Reset()
    {
        _products.Clear();
        _customers.Clear();
        Available.Clear();
        Reservations.Clear();
        OrdersAt.Clear();
        CheckedHolds.Clear();
        CheckedProducts.Clear();
        Notifications = [];
        (_checks, _reservationRequests, _productRequests, _customerRequests, ProductsFailures) = (0, 0, 0, 0, 0);
        InventoryIsDown = InventoryIsSlow = ProductsIsDown = CustomersIsDown = false;
    }

    /// <summary>The orders at each location, by its code.</summary>
    public ConcurrentDictionary<string, Guid[]> OrdersAt { get; } = new();

    public Guid AddCustomer(string name = "Maria")
    {
        var id = Guid.CreateVersion7();
        _customers[id] = name;
        return id;
    }

    public static async Task<Neighbours> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var neighbours = new Neighbours(builder.Build());
        neighbours._server.MapPost("/api/inventory/check", neighbours.CheckAsync);
        neighbours._server.MapGet("/api/products", (string ids) => Interlocked.Increment(ref neighbours._productRequests) <= neighbours.ProductsFailures || neighbours.ProductsIsDown ? Down() : Results.Ok(new
        {
            items = Ids(ids).Where(neighbours._products.ContainsKey).Select(id => neighbours._products[id] is var p
                ? new { id, sku = p.Sku, name = p.Name, price = new { amount = p.Price, currency = p.Currency }, status = p.Status, version = 1 }
                : null),
            next = (string?)null,
        }));
        neighbours._server.MapGet("/api/customers", (string? ids, string? q) => Interlocked.Increment(ref neighbours._customerRequests) <= neighbours.ProductsFailures || neighbours.CustomersIsDown ? Down() : Results.Ok(new
        {
            items = neighbours._customers
                .Where(c => ids is null ? c.Value.Contains(q!, StringComparison.OrdinalIgnoreCase) : Ids(ids).Contains(c.Key))
                .Select(c => new { id = c.Key, name = c.Value }),
            next = (string?)null,
        }));
        neighbours._server.MapGet("/internal/inventory/orders-at", (string location, bool oldestFirst, Guid? after) =>
        {
            // Two orders at a time, so that a page needs several requests.
            var orders = neighbours.OrdersAt.GetValueOrDefault(location, []).Order();
            var rest = (oldestFirst ? orders.Where(o => after is null || o > after) : orders.Reverse().Where(o => after is null || o < after)).ToList();
            return neighbours.InventoryIsDown ? Down() : Results.Ok(new { orders = rest.Take(2), last = rest.Count > 2 ? rest[1] : (Guid?)null });
        });
        neighbours._server.MapGet("/api/inventory/reservations/{orderId:guid}", (Guid orderId) =>
            Interlocked.Increment(ref neighbours._reservationRequests) > 0 && neighbours.InventoryIsDown ? Down()
            : neighbours.Reservations.TryGetValue(orderId, out var known)
                ? Results.Ok(new { orderId, known.OrderVersion, known.Outcome, lines = Array.Empty<object>(), shortages = Array.Empty<object>(), decidedAt = "2026-11-24T08:00:00Z" })
                : Results.NotFound());
        neighbours._server.MapGet("/api/notifications", (int limit, string? cursor) =>
        {
            // The neighbour's cursor is a number here; it is opaque to its readers.
            var from = cursor is null ? 0 : int.Parse(cursor, CultureInfo.InvariantCulture);
            return neighbours.Notifications is { } items
                ? Results.Ok(new { items = items.Skip(from).Take(limit), next = from + limit < items.Length ? $"{from + limit}" : null })
                : Down();
        });
        await neighbours._server.StartAsync();
        return neighbours;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public sealed record CheckRequest(CheckLine[] Lines, Guid? OrderId, Guid? HoldId);

    public sealed record CheckLine(Guid ProductId, int Quantity);

    private async Task<IResult> CheckAsync(CheckRequest request, HttpContext http)
    {
        Interlocked.Increment(ref _checks);
        CheckedProducts.Enqueue([.. request.Lines.Select(l => l.ProductId)]);
        if (InventoryIsSlow)
        {
            var gone = new TaskCompletionSource();
            await using var registration = http.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        }

        if (InventoryIsDown)
        {
            return Down();
        }

        CheckedHolds.Enqueue(request.HoldId);
        var lines = request.Lines.GroupBy(l => l.ProductId).Select(g => new
        {
            productId = g.Key,
            requested = g.Sum(l => (long)l.Quantity),
            available = Available.GetValueOrDefault(g.Key, 1000),
            sufficient = g.Sum(l => (long)l.Quantity) <= Available.GetValueOrDefault(g.Key, 1000),
        }).ToList();
        return Results.Ok(new { sufficient = lines.TrueForAll(l => l.sufficient), lines });
    }

    private static IResult Down() => Results.StatusCode(StatusCodes.Status503ServiceUnavailable);

    private static IEnumerable<Guid> Ids(string ids) => ids.Split(',').Select(Guid.Parse);
}
