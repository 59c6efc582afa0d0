using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load.Growth;

/// <summary>The reads whose time must not grow with the number of orders: one call after the other, directly to the services.</summary>
internal sealed class Reads : IDisposable
{
    // A slow read need not be called for minutes to show that it is slow.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    private readonly Api _orders;
    private readonly Api _inventory;
    private readonly Api _products;
    private readonly Api _notifications;
    private readonly (string Name, Api Api, Func<int, string> Path)[] _reads;

    /// <param name="endpoints">Where the services are.</param>
    /// <param name="catalogue">What was ordered; the first product is in every fifth order.</param>
    /// <param name="orders">Orders of all ages.</param>
    /// <param name="oldest">When the oldest order was placed.</param>
    public Reads(Endpoints endpoints, Catalogue catalogue, Guid[] orders, DateTimeOffset oldest)
    {
        _orders = new(endpoints.Service("orders", false), endpoints.Bearer);
        _inventory = new(endpoints.Service("inventory", false), endpoints.Bearer);
        _products = new(endpoints.Service("products", false), endpoints.Bearer);
        _notifications = new(endpoints.Service("notifications", false), endpoints.Bearer);
        var now = TimeProvider.System.GetUtcNow();
        string Customer(int n) => catalogue.Customers[n % catalogue.Customers.Count].ToString();
        _reads =
        [
            ("order", _orders, n => $"/api/orders/{orders[n % orders.Length]}"),
            ("timeline", _orders, n => $"/api/orders/{orders[n % orders.Length]}/timeline"),
            ("orders of a customer", _orders, n => $"/api/orders?customerId={Customer(n)}"),
            ("recent orders of a customer", _orders, n => $"/api/customers/{Customer(n)}/orders/recent"),
            ("orders of a product", _orders, n => $"/api/orders?productId={catalogue.Products[(n * 7) % catalogue.Products.Count]}"),
            ("orders by a common status", _orders, _ => "/api/orders?status=confirmed"),
            ("orders by a rare status", _orders, _ => "/api/orders?status=rejected"),
            ("orders by a status that none has", _orders, _ => "/api/orders?status=expired"),
            ("orders of an hour", _orders, n => Hour(oldest + ((now - oldest) * ((n % 10) / 10.0)))),
            ("search of products", _products, n => string.Create(CultureInfo.InvariantCulture, $"/api/products?q=product+{n % catalogue.Products.Count:D4}")),
            ("movements of a hot product", _inventory, _ => $"/api/inventory/{catalogue.Products[0]}/movements"),
            ("notifications of a customer", _notifications, n => $"/api/notifications?customerId={Customer(n)}"),
            ("reconciliation, 20 products", _inventory, _ => "/api/inventory/reconciliation"),
        ];
    }

    /// <summary>Calls each read this many times, after three uncounted calls; fewer times when they take longer than half a minute.</summary>
    public async Task<List<ReadResult>> MeasureAsync(int calls, CancellationToken cancellationToken)
    {
        var results = new List<ReadResult>();
        foreach (var (name, api, path) in _reads)
        {
            for (var n = 0; n < 3; n++)
            {
                await CallAsync(api, path(calls + n), cancellationToken);
            }

            var histogram = Report.NewHistogram();
            var start = Stopwatch.GetTimestamp();
            for (var n = 0; n < calls && Stopwatch.GetElapsedTime(start) < s_longest; n++)
            {
                var sent = Stopwatch.GetTimestamp();
                await CallAsync(api, path(n), cancellationToken);
                Report.RecordTo(histogram, Stopwatch.GetElapsedTime(sent));
            }

            results.Add(new(name, Report.ToPercentiles(histogram)));
        }

        return results;
    }

    /// <summary>Counts the products for which the reconciliation finds a difference between levels, ledger, reservations and Orders.</summary>
    public async Task<int> CountDifferencesAsync(CancellationToken cancellationToken)
    {
        var (wrong, cursor) = (0, (string?)null);
        do
        {
            var page = JsonNode.Parse(await CallAsync(
                _inventory, $"/api/inventory/reconciliation?limit=100{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", cancellationToken))!;
            wrong += page["items"]!.AsArray().Count(item => !(bool)item!["balanced"]! || (long?)item["difference"] != 0);
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        return wrong;
    }

    public void Dispose()
    {
        _orders.Dispose();
        _inventory.Dispose();
        _products.Dispose();
        _notifications.Dispose();
    }

    private static string Hour(DateTimeOffset from) => $"/api/orders?placedFrom={Text(from)}&placedTo={Text(from.AddHours(1))}";

    private static string Text(DateTimeOffset time) => Uri.EscapeDataString(time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));

    private static async Task<string> CallAsync(Api api, string path, CancellationToken cancellationToken)
    {
        using var response = await api.SendAsync(HttpMethod.Get, path, null, cancellationToken);
        await Api.ExpectAsync(response, cancellationToken, HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }
}

/// <summary>The latency of one read, in milliseconds.</summary>
internal sealed record ReadResult(string Name, Percentiles Latency);
