using System.Net;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The stock check as request and reply over Kafka (<c>Orders:StockCheck=Kafka</c>), in the running system.</summary>
public sealed class StockCheckByKafkaTests
{
    [Fact]
    public async Task A_shortage_is_409_with_its_lines_and_available_stock_is_confirmed()
    {
        await using var system = await AppHostRunner.StartAsync(["--Infrastructure:Mail=pickup", "--Orders:StockCheck=Kafka", "--Orders:WhenStockUnknown=Refuse"]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var customer = await shop.CustomerAsync();
        var product = await shop.ProductAsync(stock: 5);

        // With Refuse, a 409 and a 201 both need a reply from Inventory. The first requests may come before the responder listens.
        await Eventually.TrueAsync(
            async () => (await shop.PlaceAsync(customer, (product, 3), (product, 3))).Status == HttpStatusCode.Conflict,
            TimeSpan.FromSeconds(60), "Inventory answers over Kafka");
        var (_, refused) = await shop.PlaceAsync(customer, (product, 3), (product, 3));
        Assert.EndsWith("insufficient-stock", (string?)refused["type"], StringComparison.Ordinal);
        Assert.Equal((6, 5), ((int)refused["lines"]![0]!["requested"]!, (int)refused["lines"]![0]!["available"]!));

        var (status, order) = await shop.PlaceAsync(customer, (product, 5));
        Assert.Equal(HttpStatusCode.Created, status);
        await shop.WaitForStatusAsync((Guid)order["id"]!, "confirmed");
    }
}
