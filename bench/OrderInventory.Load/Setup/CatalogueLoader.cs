using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using OrderInventory.Load.Placing;
using OrderInventory.Load.Recorded;
using Spectre.Console;

namespace OrderInventory.Load.Setup;

/// <summary>
/// Creates products with stock and customers through the HTTP APIs, and reuses those of an earlier run. The stock is part of the SKU, so that runs
/// with different stock use different products.
/// </summary>
internal sealed class CatalogueLoader : IDisposable
{
    private const int Parallel = 8;
    private const int IdsPerRequest = 100;

    private readonly LoadOptions _options;
    private readonly Databases _databases;
    private readonly Api _products;
    private readonly Api _inventory;
    private readonly Api _customers;
    private readonly Api _orders;

    private CatalogueLoader(Endpoints endpoints, Databases databases, LoadOptions options)
    {
        _options = options;
        _databases = databases;
        _products = new(endpoints.Service("products", options.ThroughGateway), endpoints.Bearer);
        _inventory = new(endpoints.Service("inventory", options.ThroughGateway), endpoints.Bearer);
        _customers = new(endpoints.Service("customers", options.ThroughGateway), endpoints.Bearer);
        _orders = new(endpoints.Service("orders", options.ThroughGateway), endpoints.Bearer);
    }

    public static async Task<Catalogue> LoadAsync(Endpoints endpoints, Databases databases, LoadOptions options, CancellationToken cancellationToken)
    {
        using var loader = new CatalogueLoader(endpoints, databases, options);
        var catalogue = await AnsiConsole.Progress().AutoClear(true).StartAsync(async progress =>
        {
            var products = await loader.LoadProductsAsync(progress, cancellationToken);
            await loader.LoadStockAsync(products, progress, cancellationToken);
            var customers = await loader.LoadCustomersAsync(progress, cancellationToken);
            var loaded = new Catalogue(products, customers);
            await loader.WaitUntilOrdersKnowsAsync(loaded, progress, cancellationToken);
            return loaded;
        });

        // Right after a start, the first order belongs to the measurement.
        if (!options.IsAfterStart)
        {
            await loader.PlaceOneAsync(catalogue, cancellationToken);
        }

        AnsiConsole.MarkupLineInterpolated($"{catalogue.Products.Count} products with stock and {catalogue.Customers.Count} customers exist, and Orders has their local copies.");
        return catalogue;
    }

    public void Dispose()
    {
        _products.Dispose();
        _inventory.Dispose();
        _customers.Dispose();
        _orders.Dispose();
    }

    private async Task<Guid[]> LoadProductsAsync(ProgressContext progress, CancellationToken cancellationToken)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"LOAD-{_options.Stock}-");
        var found = await _products.ListAsync($"/api/products?q={prefix}&status=active&limit=100", ApiJson.Default.PageProduct, cancellationToken);
        var known = found.ToDictionary(product => product.Sku, product => product.Id);
        return await EachAsync(progress, "Products", _options.Products, async n =>
        {
            var sku = string.Create(CultureInfo.InvariantCulture, $"{prefix}{n:D4}");
            if (known.TryGetValue(sku, out var id))
            {
                return id;
            }

            using var body = JsonContent.Create(new(sku, $"Load product {n:D4}", "load", new(1.49m + (n % 90), "EUR")), ApiJson.Default.NewProduct);
            return (await _products.WriteAsync(HttpMethod.Post, "/api/products", body, ApiJson.Default.Product, cancellationToken))!.Id;
        }, cancellationToken);
    }

    /// <summary>Creates missing stock records, and replenishes stock that earlier runs have used up.</summary>
    private async Task LoadStockAsync(Guid[] products, ProgressContext progress, CancellationToken cancellationToken)
    {
        var available = new Dictionary<Guid, long>();
        foreach (var ids in products.Chunk(IdsPerRequest))
        {
            var levels = await _inventory.ListAsync($"/api/inventory?productIds={string.Join(',', ids)}", ApiJson.Default.PageLevel, cancellationToken);
            levels.ForEach(level => available[level.ProductId] = level.Available);
        }

        await EachAsync(progress, "Stock", products.Length, async n =>
        {
            var id = products[n];
            if (!available.TryGetValue(id, out var units))
            {
                using var body = JsonContent.Create(new(_options.Stock), ApiJson.Default.NewLevel);
                await _inventory.WriteAsync<Level>(HttpMethod.Put, $"/api/inventory/{id}", body, null, cancellationToken);
            }
            else if (units < _options.Stock / 2)
            {
                using var body = JsonContent.Create(new(_options.Stock - units, "filled up for a load run"), ApiJson.Default.Adjustment);
                await _inventory.WriteAsync<Level>(HttpMethod.Post, $"/api/inventory/{id}/adjustments", body, null, cancellationToken);
            }

            return id;
        }, cancellationToken);
    }

    private async Task<Guid[]> LoadCustomersAsync(ProgressContext progress, CancellationToken cancellationToken)
    {
        var found = await _customers.ListAsync("/api/customers?q=load-customer-&limit=100", ApiJson.Default.PageCustomer, cancellationToken);
        var known = found.ToDictionary(customer => customer.Email, customer => customer.Id);
        return await EachAsync(progress, "Customers", _options.Customers, async n =>
        {
            var email = string.Create(CultureInfo.InvariantCulture, $"load-customer-{n:D4}@example.com");
            if (known.TryGetValue(email, out var id))
            {
                return id;
            }

            using var body = JsonContent.Create(new($"Load Customer {n:D4}", email), ApiJson.Default.NewCustomer);
            return (await _customers.WriteAsync(HttpMethod.Post, "/api/customers", body, ApiJson.Default.Customer, cancellationToken))!.Id;
        }, cancellationToken);
    }

    /// <summary>Otherwise Orders would query Products for missing local copies, which would distort the measurement.</summary>
    private async Task WaitUntilOrdersKnowsAsync(Catalogue catalogue, ProgressContext progress, CancellationToken cancellationToken)
    {
        var task = progress.AddTask("Known to Orders", maxValue: catalogue.Products.Count + catalogue.Customers.Count);
        await _databases.WaitForCopiesAsync(catalogue, known => task.Value = known, cancellationToken);
    }

    private async Task PlaceOneAsync(Catalogue catalogue, CancellationToken cancellationToken)
    {
        var body = new OrderBody(catalogue, _options.Lines, new Random(_options.Seed));
        body.Fill();
        using var content = body.ToContent();
        using var response = await _orders.SendAsync(
            HttpMethod.Post, "/api/orders", content, cancellationToken, ("Idempotency-Key", $"load-{Guid.CreateVersion7()}"), ("Prefer", "wait=20"));
        await Api.ExpectAsync(response, cancellationToken, HttpStatusCode.Created, HttpStatusCode.Conflict);
        if (response.StatusCode == HttpStatusCode.Created)
        {
            var order = (await response.Content.ReadFromJsonAsync(ApiJson.Default.Order, cancellationToken))!;
            if (order.Status == "pending")
            {
                throw new LoadException($"The first order ({order.Id}) was still pending after 20 s.");
            }
        }
    }

    private static async Task<Guid[]> EachAsync(
        ProgressContext progress, string what, int count, Func<int, Task<Guid>> action, CancellationToken cancellationToken)
    {
        var task = progress.AddTask(what, maxValue: Math.Max(1, count));
        var ids = new Guid[count];
        var settings = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(0, count), settings, async (n, _) =>
        {
            ids[n] = await action(n);
            task.Increment(1);
        });
        return ids;
    }
}
