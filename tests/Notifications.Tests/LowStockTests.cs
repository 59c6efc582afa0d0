using System.Text;
using MimeKit;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Low stock: the message names the product, and not every crossing sends one.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class LowStockTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private readonly SmtpServer _smtp = new();
    private readonly CustomersServer _customers = new();
    private NotificationsApp _app = null!;

    public async Task InitializeAsync()
    {
        await _customers.StartAsync();
        _app = await NotificationsApp.StartAsync(infrastructure, _smtp.ConnectionString, _customers);
        await _app.Http.CreateAsync("/api/notifications/staff", """{"name":"Janet","email":"janet@example.com","channels":{"email":true},"events":["lowStock","lowStockLeft"],"language":"en"}""");
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _customers.DisposeAsync();
        await _smtp.DisposeAsync();
    }

    [Fact]
    public async Task Includes_sku_and_name_once_Products_answers()
    {
        var stock = Events.Stock(LowStockCrossing.Entered);
        _customers.Products[stock.ProductId] = ("TEA-001", "Chai");
        _customers.OrdersAndProductsAnswer = false;
        var id = await _app.PublishAsync(stock);
        var waiting = await _app.ListAsync("template=lowStock", 2, n => n["lastError"] is not null);
        Assert.All(waiting, n => Assert.Equal("Products does not answer.", (string?)n["lastError"]));
        Assert.All(waiting, n => Assert.Equal(id.ToString(), (string?)n["eventId"]));

        _customers.OrdersAndProductsAnswer = true;
        await _app.ListAsync("template=lowStock&status=sent", 2);
        Assert.All(Subjects(), subject => Assert.Equal("Low stock: product TEA-001 (Chai)", subject));
    }

    [Fact]
    public async Task A_deleted_product_is_named_by_its_id()
    {
        var stock = Events.Stock(LowStockCrossing.Entered);
        await _app.PublishAsync(stock);
        await _app.ListAsync("template=lowStock&status=sent", 2);
        Assert.All(Subjects(), subject => Assert.Equal($"Low stock: product {stock.ProductId}", subject));
    }

    [Fact]
    public async Task Repeated_crossings_send_one_message_and_the_state_at_the_end_of_the_interval()
    {
        var product = Guid.CreateVersion7();
        await CrossAsync(product, 1, LowStockCrossing.Entered);
        await _app.ListAsync("template=lowStock&status=sent", 2);
        await CrossAsync(product, 2, LowStockCrossing.Left);
        await SeenAsync(product, 2);
        // Another product's message shows that the check was made.
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Entered));
        await _app.ListAsync("template=lowStock&status=sent", 4);
        Assert.Empty(await _app.ListNowAsync("template=lowStockLeft"));

        for (var version = 3; version <= 41; version++)
        {
            await CrossAsync(product, version, version % 2 == 0 ? LowStockCrossing.Left : LowStockCrossing.Entered);
        }

        await EndIntervalAsync(product, 41);
        // Low at the last message, and low now: there is nothing to send.
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Entered));
        await _app.ListAsync("template=lowStock&status=sent", 6);
        Assert.Empty(await _app.ListNowAsync("template=lowStockLeft"));

        await CrossAsync(product, 42, LowStockCrossing.Left);
        await _app.ListAsync("template=lowStockLeft&status=sent");
        await CrossAsync(product, 43, LowStockCrossing.Entered);
        await EndIntervalAsync(product, 43);
        await _app.ListAsync("template=lowStock&status=sent", 8);
        Assert.Single(await _app.ListNowAsync("template=lowStockLeft"));
    }

    [Fact]
    public async Task An_older_crossing_that_comes_late_changes_nothing()
    {
        var product = Guid.CreateVersion7();
        await CrossAsync(product, 5, LowStockCrossing.Left);
        await _app.ListAsync("template=lowStockLeft&status=sent");
        await CrossAsync(product, 4, LowStockCrossing.Entered);
        await EndIntervalAsync(product, 5);
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Left));
        await _app.ListAsync("template=lowStockLeft&status=sent", 2);
        Assert.Empty(await _app.ListNowAsync("template=lowStock"));
    }

    [Fact]
    public async Task Stock_that_has_no_threshold_any_more_is_not_back_and_its_next_shortage_is_reported()
    {
        var (removed, never) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await CrossAsync(removed, 1, LowStockCrossing.Entered);
        await _app.ListAsync("template=lowStock&status=sent", 2);
        // The record was removed, or the product was deleted: Inventory reports that stock is no longer low, with a threshold of 0.
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Left) with { ProductId = removed, Version = 2, Available = 0, LowStockThreshold = 0 });
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Left) with { ProductId = never, Version = 2, Available = 2, LowStockThreshold = 0 });
        await EndIntervalAsync(removed, 2);
        await SeenAsync(never, 2);
        // Another product's message shows that the check was made.
        await _app.PublishAsync(Events.Stock(LowStockCrossing.Left));
        Assert.Single(await _app.ListAsync("template=lowStockLeft&status=sent"));

        await CrossAsync(removed, 3, LowStockCrossing.Entered);
        await _app.ListAsync("template=lowStock&status=sent", 4);
        Assert.Single(await _app.ListNowAsync("template=lowStockLeft"));
    }

    private List<string> Subjects() => [.. _smtp.Mails.Select(mail => MimeMessage.Load(new MemoryStream(Encoding.UTF8.GetBytes(mail.Text))).Subject!)];

    private Task<Guid> CrossAsync(Guid product, long version, LowStockCrossing crossing) =>
        _app.PublishAsync(Events.Stock(crossing) with { ProductId = product, Version = version });

    private Task<long> SeenAsync(Guid product, long version) =>
        Wait.UntilAsync(() => _app.QueryAsync<long>("SELECT version FROM stock_alerts WHERE product_id = $1", product), seen => seen == version);

    private async Task EndIntervalAsync(Guid product, long version)
    {
        await SeenAsync(product, version);
        await _app.QueryAsync<object>("UPDATE stock_alerts SET quiet_until = now() WHERE product_id = $1", product);
    }
}
