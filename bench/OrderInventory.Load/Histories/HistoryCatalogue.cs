using System.Globalization;
using System.Net.Http.Json;
using OrderInventory.Check.Histories;
using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load.Histories;

/// <summary>Creates products, registers and customers for one run only, because changes by other runs are not in its history.</summary>
internal static class HistoryCatalogue
{
    private const int Registers = 4;
    private const long RegisterStock = 1000;

    public static async Task<RunLine> CreateAsync(Endpoints endpoints, HistoryOptions options, CancellationToken cancellationToken)
    {
        using var products = new Api(endpoints.Service("products", throughGateway: false), endpoints.Bearer);
        using var inventory = new Api(endpoints.Service("inventory", throughGateway: false), endpoints.Bearer);
        using var customers = new Api(endpoints.Service("customers", throughGateway: false), endpoints.Bearer);
        var run = Guid.CreateVersion7().ToString("N")[..16];
        var ids = new List<Guid>();
        for (var n = 0; n < options.Products + Registers; n++)
        {
            var price = new Price(1.49m + (n % 90), "EUR");
            using var body = JsonContent.Create(new($"H-{run}-{n.ToString(CultureInfo.InvariantCulture)}", $"History product {n}", "history", price), ApiJson.Default.NewProduct);
            var id = (await products.WriteAsync(HttpMethod.Post, "/api/products", body, ApiJson.Default.Product, cancellationToken))!.Id;
            using var level = JsonContent.Create(new(n < options.Products ? options.Stock : RegisterStock), ApiJson.Default.NewLevel);
            await inventory.WriteAsync<Level>(HttpMethod.Put, $"/api/inventory/{id}", level, null, cancellationToken);
            ids.Add(id);
        }

        var people = new List<Guid>();
        for (var n = 0; n < options.Customers; n++)
        {
            using var body = JsonContent.Create(new($"History Customer {n}", $"h-{run}-{n.ToString(CultureInfo.InvariantCulture)}@example.com"), ApiJson.Default.NewCustomer);
            people.Add((await customers.WriteAsync(HttpMethod.Post, "/api/customers", body, ApiJson.Default.Customer, cancellationToken))!.Id);
        }

        await using var databases = new Databases(endpoints);
        await databases.WaitForCopiesAsync(new(ids, people), _ => { }, cancellationToken);
        return new(TimeProvider.System.GetUtcNow(), options.Seed, people, [.. ids.Take(options.Products)], [.. ids.Skip(options.Products).Select(id => new Line(id, RegisterStock))]);
    }
}
