using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Text messages, and customers' preferences for each channel.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class TextMessageTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private readonly DirectoryInfo _pickup = Directory.CreateTempSubdirectory("pickup-");
    private readonly CustomersServer _customers = new();
    private SmsProvider _provider = null!;
    private NotificationsApp _app = null!;

    public async Task InitializeAsync()
    {
        await _customers.StartAsync();
        _provider = await SmsProvider.StartAsync();
        _app = await NotificationsApp.StartAsync(infrastructure, $"file://{_pickup.FullName}", _customers, new()
        {
            ["Notifications:Sms:Url"] = _provider.Url,
            ["Notifications:Sms:From"] = "Shop",
            ["Notifications:Sms:Headers:Authorization"] = "Bearer of-the-tests",
            ["Notifications:MaxAttempts"] = "4",
        });
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _provider.DisposeAsync();
        await _customers.DisposeAsync();
        _pickup.Delete(recursive: true);
    }

    [Fact]
    public async Task Posts_to_the_provider_with_the_notifications_id_as_the_key()
    {
        var customer = _customers.Add(phone: "+49 30 0074321", language: "de");
        await KeepAsync(Events.Customer(customer, 1, sms: true));
        var order = Events.Updated(customer, OrderStatus.Shipped);

        await _app.PublishAsync(order);

        var sent = (await _app.ListAsync($"orderId={order.OrderId}&status=sent", 2)).Single(i => (string?)i["channel"] == "sms");
        var (key, authorization, body) = Assert.Single(_provider.Messages);
        Assert.Equal((string?)sent["id"], key);
        Assert.Equal("Bearer of-the-tests", authorization);
        Assert.Equal("+49 30 0074321", (string?)body["to"]);
        Assert.Equal("Shop", (string?)body["from"]);
        Assert.Equal($"Ihre Bestellung {order.OrderId} ist unterwegs.", (string?)body["text"]);
        Assert.Equal("+49 30 0074321", (string?)sent["recipient"]);
        Assert.Equal("de", (string?)sent["templateLanguage"]);

        (await _app.Http.PostAsync($"/api/notifications/{sent["id"]}/resend", null)).EnsureSuccessStatusCode();
        await _app.ListAsync($"orderId={order.OrderId}&channel=sms&status=sent", each: i => (int?)i["attempts"] == 2);
        Assert.Equal([key, key], _provider.Messages.Select(m => m.Key));

        await KeepAsync(Events.Customer(customer, 2, email: false, CustomerStatus.Erased));
        Assert.Equal(2L, await _app.QueryAsync<long>(
            "SELECT count(*) FROM notifications WHERE customer_id = $1 AND recipient IS NULL AND subject IS NULL AND body IS NULL AND last_error IS NULL", customer));
    }

    [Fact]
    public async Task A_refused_message_is_retried_then_fails_and_does_not_delay_mails()
    {
        _provider.Status = 500;
        var customer = _customers.Add(phone: "+49 30 0074321");
        await KeepAsync(Events.Customer(customer, 1, sms: true));
        var order = Events.Created(customer);

        await _app.PublishAsync(order);

        await _app.ListAsync($"orderId={order.OrderId}&channel=email&status=sent");
        var failed = (await _app.ListAsync($"orderId={order.OrderId}&channel=sms&status=failed")).Single();
        Assert.Equal(4, (int?)failed["attempts"]);
        Assert.Equal("The text message provider answered 500.", (string?)failed["lastError"]);
        Assert.Single(_provider.Messages.Select(m => m.Key).Distinct());
    }

    [Fact]
    public async Task Each_channel_is_used_only_while_the_customer_wants_it()
    {
        var customer = _customers.Add(phone: "+49 30 0074321");

        Assert.Equal(["email"], await ChannelsAsync(customer, null));
        Assert.Equal(["sms"], await ChannelsAsync(customer, Events.Customer(customer, 1, email: false, sms: true)));
        Assert.Equal(["email", "sms"], await ChannelsAsync(customer, Events.Customer(customer, 2, email: true, sms: true)));
        Assert.Equal(["email"], await ChannelsAsync(customer, Events.Customer(customer, 3, email: true, sms: false)));
        Assert.Empty(await ChannelsAsync(customer, Events.Customer(customer, 4, email: false, sms: false)));
    }

    [Fact]
    public async Task Preferences_and_number_are_those_at_the_time_of_sending()
    {
        _provider.Status = 400;
        await _customers.StopAsync();
        var (reluctant, moved, erased, silent) = (
            _customers.Add(phone: "+49 1"), _customers.Add(phone: "+49 30 111"), _customers.Add(phone: "+49 30 222"), _customers.Add());
        foreach (var customer in new[] { reluctant, moved, erased, silent })
        {
            await KeepAsync(Events.Customer(customer, 1, email: false, sms: true));
            await _app.PublishAsync(Events.Created(customer));
            await _app.ListAsync($"customerId={customer}&channel=sms&status=pending");
        }

        // All messages are recorded and wait for Customers; now things change.
        await KeepAsync(Events.Customer(reluctant, 2, email: true, sms: false));
        await KeepAsync(Events.Customer(erased, 2, email: false, CustomerStatus.Erased));
        _customers.SetPhone(moved, "+49 30 999");
        _provider.Status = 202;
        await _customers.StartAsync();

        // The longer Customers was down, the longer the sender pauses between attempts, 30 s at most, and so do the messages.
        foreach (var (customer, status) in new[] { (moved, "sent"), (reluctant, "failed"), (erased, "failed"), (silent, "failed") })
        {
            await Wait.UntilAsync(() => _app.ListNowAsync($"customerId={customer}"), items => items.Count == 1 && (string?)items[0]["status"] == status, 60);
        }

        Assert.Equal("The customer does not want text messages.", (string?)(await _app.ListAsync($"customerId={reluctant}&status=failed")).Single()["lastError"]);
        Assert.Equal("The customer has been erased.", (string?)(await _app.ListAsync($"customerId={erased}&status=failed")).Single()["lastError"]);
        Assert.Equal("The customer has no phone number.", (string?)(await _app.ListAsync($"customerId={silent}&status=failed")).Single()["lastError"]);
        Assert.Equal(["+49 30 999"], _provider.Messages.Select(m => (string?)m.Body["to"]));
        // Nothing was recorded for the channel that was off at that time.
        Assert.Empty(await _app.ListNowAsync($"customerId={reluctant}&channel=email"));
    }

    [Fact]
    public async Task Without_a_provider_a_message_is_logged_without_number_or_text()
    {
        await _app.DisposeAsync();
        var log = new LogKeeper();
        await using var app = await NotificationsApp.StartAsync(infrastructure, $"file://{_pickup.FullName}", _customers, services: services => services.AddSingleton<ILoggerProvider>(log));
        Assert.IsType<LoggingSmsProvider>(app.Services.GetRequiredService<ISmsProvider>());
        var customer = _customers.Add("Maria Anders", phone: "+49 30 0074321");
        await app.PublishAsync(Events.Customer(customer, 1, email: false, sms: true));
        await Wait.UntilAsync(async () => await app.QueryAsync<long>("SELECT version FROM recipients WHERE customer_id = $1", customer), version => version == 1);

        await app.PublishAsync(Events.Created(customer));

        var sent = (await app.ListAsync($"customerId={customer}&channel=sms&status=sent")).Single();
        Assert.Contains(log.Lines, l => l.Contains((string)sent["id"]!, StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, l => l.Contains("0074321", StringComparison.Ordinal) || l.Contains("We have received", StringComparison.Ordinal));
    }

    /// <summary>The channels of an order that is placed after the customer's change was applied.</summary>
    private async Task<List<string>> ChannelsAsync(Guid customer, CustomerUpdated? change)
    {
        if (change is not null)
        {
            await KeepAsync(change);
        }

        var order = Events.Created(customer);
        var eventId = await _app.PublishAsync(order);
        await Wait.UntilAsync(async () => await _app.QueryAsync<long>("SELECT count(*) FROM inbox_messages WHERE id = $1", eventId), rows => rows == 1);
        return [.. (await _app.ListNowAsync($"orderId={order.OrderId}")).Select(i => (string)i["channel"]!).Order()];
    }

    private async Task KeepAsync(CustomerUpdated customer)
    {
        await _app.PublishAsync(customer);
        await Wait.UntilAsync(
            async () => await _app.QueryAsync<long>("SELECT version FROM recipients WHERE customer_id = $1", customer.CustomerId), version => version == customer.Version);
    }
}
