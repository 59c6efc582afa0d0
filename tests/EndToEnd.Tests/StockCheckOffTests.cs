using System.Net;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Without the stock check before the order, the reservation alone decides, and its shortage has the same lines.</summary>
public sealed class StockCheckOffTests
{
    [Fact]
    public async Task A_shortage_that_only_the_reservation_finds_ends_rejected_with_its_lines()
    {
        await using var system = await AppHostRunner.StartAsync(["--Infrastructure:Mail=pickup", "--Orders:StockCheck=None"]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var customer = await shop.CustomerAsync();
        var (tea, rice) = (await shop.ProductAsync(stock: 10), await shop.ProductAsync(stock: 1));

        var (status, order) = await shop.PlaceAsync(customer, (tea, 1), (rice, 3));

        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("rejected", (string?)order["status"]);
        Assert.Equal("insufficientStock", (string?)order["rejection"]!["code"]);
        var line = Assert.Single(order["rejection"]!["lines"]!.AsArray())!;
        Assert.Equal((rice, 3, 1), ((Guid)line["productId"]!, (int)line["requested"]!, (int)line["available"]!));
        Assert.Equal((10, 0, 10), await shop.StockAsync(tea));

        // Forty at the same time: now each of them becomes an order, and the reservation rejects thirty.
        var last = await shop.ProductAsync(stock: 10);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => shop.PlaceAsync(customer, (last, 1))));
        Assert.Equal(10, answers.Count(a => (string?)a.Body["status"] == "confirmed"));
        Assert.Equal(30, answers.Count(a => (string?)a.Body["status"] == "rejected"));
        Assert.Equal((10, 10, 0), await shop.StockAsync(last));
    }
}
