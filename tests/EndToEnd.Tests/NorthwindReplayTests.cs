using System.Globalization;
using System.Net;
using CsvHelper;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>
/// Real trading data: every Northwind order, one after the other by id. The system's decisions must equal a plain sequential calculation
/// over the files, order by order, and so must every product's stock at the end.
/// </summary>
[Collection(SystemCollection.Name)]
public sealed class NorthwindReplayTests(SystemFixture system)
{
    [NorthwindFact]
    public async Task Every_outcome_and_every_level_equals_the_sequential_calculation()
    {
        var shop = new Shop(system.Gateway);
        var customers = new Dictionary<string, Guid>();
        foreach (var id in Read("customers.csv", row => row.GetField("customerID")!))
        {
            customers[id] = await shop.CustomerAsync($"{id}@northwind.example");
        }

        var products = new Dictionary<int, Guid>();
        var expected = new Dictionary<int, long>();
        foreach (var (id, name, price, stock) in Read("products.csv", row => (
            row.GetField<int>("productID"), row.GetField("productName")!, row.GetField<decimal>("unitPrice"), row.GetField<int>("unitsInStock"))))
        {
            products[id] = await shop.ProductAsync(stock, price, $"NW-{id}", name);
            expected[id] = stock;
        }

        var lines = Read("order-details.csv", row => (
                OrderId: row.GetField<int>("orderID"), ProductId: row.GetField<int>("productID"), Quantity: row.GetField<int>("quantity")))
            .ToLookup(line => line.OrderId);
        var orders = Read("orders.csv", row => (Id: row.GetField<int>("orderID"), CustomerId: row.GetField("customerID")!)).OrderBy(order => order.Id).ToList();
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

    private static List<T> Read<T>(string file, Func<CsvReader, T> row)
    {
        using var reader = new CsvReader(new StreamReader(Path.Combine(NorthwindFactAttribute.Folder, file)), CultureInfo.InvariantCulture);
        reader.Read();
        reader.ReadHeader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(row(reader));
        }

        return rows;
    }
}

/// <summary>Runs where the data exists: NORTHWIND names the folder, by default ../shared/data/northwind next to the repository.</summary>
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

    public static string Folder { get; } = Environment.GetEnvironmentVariable("NORTHWIND") ?? Path.Combine(Repository.Root, "../shared/data/northwind");
}
