using System.Globalization;
using System.Net;
using CsvHelper;
using CsvHelper.Configuration;
using CsvHelper.Configuration.Attributes;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>
/// Real trading data: every order of Northwind in the order of its id, one after the other. What the system decides must equal a plain
/// sequential calculation over the files, order by order, and so must every product's stock at the end.
/// </summary>
[Collection(SystemCollection.Name)]
public sealed class NorthwindReplayTests(SystemFixture system)
{
    [NorthwindFact]
    public async Task Every_outcome_and_every_level_equals_the_sequential_calculation()
    {
        var shop = new Shop(system.Gateway);
        var customers = new Dictionary<string, Guid>();
        foreach (var customer in Read<Customer>("customers.csv"))
        {
            customers[customer.Id] = await shop.CustomerAsync($"{customer.Id}@northwind.example");
        }

        var products = new Dictionary<int, Guid>();
        var expected = new Dictionary<int, long>();
        foreach (var product in Read<Product>("products.csv"))
        {
            products[product.Id] = await shop.ProductAsync(product.UnitsInStock, product.UnitPrice, $"NW-{product.Id}", product.Name);
            expected[product.Id] = product.UnitsInStock;
        }

        var lines = Read<OrderLine>("order-details.csv").ToLookup(line => line.OrderId);
        var orders = Read<Order>("orders.csv").OrderBy(order => order.Id).ToList();
        Assert.Equal((91, 77, 830), (customers.Count, products.Count, orders.Count));

        var confirmed = 0;
        foreach (var order in orders)
        {
            var fits = lines[order.Id].GroupBy(l => l.ProductId).All(g => g.Sum(l => (long)l.Quantity) <= expected[g.Key]);
            var (status, body) = await shop.PlaceAsync(customers[order.CustomerId], [.. lines[order.Id].Select(l => (products[l.ProductId], l.Quantity))]);
            var outcome = status == HttpStatusCode.Conflict ? "refused" : (string?)body["status"] == "rejected" ? "refused" : (string?)body["status"];
            Assert.True(outcome == (fits ? "confirmed" : "refused"), $"Order {order.Id}: {status} {body}");
            if (fits)
            {
                confirmed++;
                foreach (var line in lines[order.Id])
                {
                    expected[line.ProductId] -= line.Quantity;
                }
            }
        }

        Assert.InRange(confirmed, 1, orders.Count - 1);
        foreach (var (id, available) in expected)
        {
            Assert.Equal(available, (await shop.StockAsync(products[id])).Available);
        }
    }

    private static List<T> Read<T>(string file)
    {
        using var reader = new CsvReader(
            new StreamReader(Path.Combine(NorthwindFactAttribute.Folder, file)), new CsvConfiguration(CultureInfo.InvariantCulture));
        return [.. reader.GetRecords<T>()];
    }

    private sealed record Customer([Name("customerID")] string Id);

    private sealed record Product(
        [Name("productID")] int Id, [Name("productName")] string Name, [Name("unitPrice")] decimal UnitPrice,
        [Name("unitsInStock")] int UnitsInStock);

    private sealed record Order([Name("orderID")] int Id, [Name("customerID")] string CustomerId);

    private sealed record OrderLine(
        [Name("orderID")] int OrderId, [Name("productID")] int ProductId, [Name("quantity")] int Quantity);
}

/// <summary>Runs where the data lies: NORTHWIND names the folder, by default ../shared/data/northwind beside the repository.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NorthwindFactAttribute : FactAttribute
{
    public NorthwindFactAttribute()
    {
        if (!Directory.Exists(Folder))
        {
            Skip = $"The Northwind data is not in {Folder}; NORTHWIND names another folder.";
        }
    }

    public static string Folder { get; } = Environment.GetEnvironmentVariable("NORTHWIND") ?? Path.Combine(RepositoryRoot(), "../shared/data/northwind");

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OrderInventory.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? ".";
    }
}
