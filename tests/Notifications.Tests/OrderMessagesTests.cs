using System.Net;
using System.Text;
using MimeKit;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.ServiceDefaults.Text;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Which messages a customer gets about an order, in which order, and with which text.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class OrderMessagesTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private readonly SmtpServer _smtp = new();
    private readonly CustomersServer _customers = new();
    private NotificationsApp _app = null!;

    private List<MimeMessage> Mails => [.. _smtp.Mails.Select(mail => MimeMessage.Load(new MemoryStream(Encoding.UTF8.GetBytes(mail.Text))))];

    public async Task InitializeAsync()
    {
        await _customers.StartAsync();
        _app = await NotificationsApp.StartAsync(infrastructure, _smtp.ConnectionString, _customers, new() { ["Notifications:RetryDelay"] = "00:00:02", ["Notifications:MaxRetryDelay"] = "00:00:02" });
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _customers.DisposeAsync();
        await _smtp.DisposeAsync();
    }

    [Fact]
    public async Task A_mail_that_a_later_one_has_overtaken_is_not_sent_after_it()
    {
        var customer = _customers.Add(email: "refused@example.com");
        _smtp.Refused["refused@example.com"] = true;
        var created = Events.Created(customer);
        await _app.PublishAsync(created);
        await _app.ListAsync($"orderId={created.OrderId}", each: n => (int)n["attempts"]! > 0);

        _customers.SetEmail(customer, "mended@example.com");
        // The next attempt of the first message is an hour away; the later message is sent now.
        await _app.QueryAsync<object>("UPDATE notifications SET next_attempt_at = now() + interval '1 hour' WHERE order_id = $1", created.OrderId);
        await _app.PublishAsync(Events.Updated(customer, OrderStatus.Cancelled, OrderStatus.CancelPending, created.OrderId));
        await _app.ListAsync($"orderId={created.OrderId}&status=sent");
        await _app.QueryAsync<object>("UPDATE notifications SET next_attempt_at = now() WHERE order_id = $1", created.OrderId);

        var overtaken = (await _app.ListAsync($"orderId={created.OrderId}&status=failed")).Single();
        Assert.Equal("orderReceived", (string?)overtaken["template"]);
        Assert.Equal("A later message of the order has been sent (orderCancelled).", (string?)overtaken["lastError"]);
        Assert.Equal($"Your order {created.OrderId} is cancelled", Mails.Where(m => m.To.ToString().Contains("mended", StringComparison.Ordinal)).Select(m => m.Subject).Single());

        // An operator cannot send it either; the latest message may be sent again.
        var refused = await _app.Http.PostAsync($"/api/notifications/{overtaken["id"]}/resend", null);
        Assert.Equal((HttpStatusCode.Conflict, "/problems/notification-overtaken"), (refused.StatusCode, (string?)(await refused.ReadAsync())["type"]));
        var latest = (await _app.ListAsync($"orderId={created.OrderId}&status=sent")).Single();
        Assert.Equal(HttpStatusCode.Accepted, (await _app.Http.PostAsync($"/api/notifications/{latest["id"]}/resend", null)).StatusCode);
        await Wait.UntilAsync(() => Mails.Count(m => m.Subject!.Contains("cancelled", StringComparison.Ordinal)) == 2);
    }

    [Fact]
    public async Task A_message_sent_on_another_channel_also_overtakes()
    {
        var customer = _customers.Add();
        var created = Events.Created(customer);
        await _customers.StopAsync();
        await _app.PublishAsync(created);
        await _app.ListAsync($"orderId={created.OrderId}", each: n => n["lastError"] is not null);
        await _app.QueryAsync<object>(
            """
            INSERT INTO notifications (id, event_id, event_type, order_id, order_version, customer_id, template, channel, recipient_ref, data, status, attempts, attempts_before,
                created_at, due_since, next_attempt_at, sent_at)
            VALUES ($1, $1, 'order.updated.v1', $2, 2, $3, 'orderCancelled', 'sms', $3::text, '{}', 'sent', 1, 0, now(), now(), now(), now())
            """,
            Guid.CreateVersion7(), created.OrderId, customer);
        await _customers.StartAsync();

        var overtaken = (await _app.ListAsync($"orderId={created.OrderId}&status=failed")).Single();
        Assert.Contains("orderCancelled", (string?)overtaken["lastError"], StringComparison.Ordinal);
        Assert.Empty(_smtp.Mails);
    }

    [Fact]
    public async Task Messages_that_waited_together_are_sent_in_the_order_of_the_versions()
    {
        var (customer, order) = (_customers.Add(), Guid.CreateVersion7());
        // order.updated may be recorded before order.created, because they are two topics. Both messages are due at the same moment.
        await _app.QueryAsync<object>(
            """
            INSERT INTO notifications (id, event_id, event_type, order_id, order_version, customer_id, template, channel, recipient_ref, data, status, attempts, attempts_before,
                created_at, due_since, next_attempt_at)
            SELECT id, id, 'order', $2, version, $1, template, 'email', $1::text, '{}', 'pending', 0, 0, now(), now(), now()
            FROM (VALUES ($3::uuid, 2, 'orderConfirmed'), ($4::uuid, 1, 'orderReceived')) AS n (id, version, template)
            """,
            customer, order, Guid.CreateVersion7(), Guid.CreateVersion7());

        await _app.ListAsync($"orderId={order}&status=sent", 2);
        Assert.Equal([$"We have received your order {order}", $"Your order {order} is confirmed"], Mails.Select(m => m.Subject));
    }

    [Theory]
    [InlineData(OrderStatus.Shipped, "en", "Your return to order")]
    [InlineData(OrderStatus.Delivered, "de", "Ihre Rücksendung zur Bestellung")]
    public async Task A_return_has_a_message_of_its_own(OrderStatus status, string language, string subject)
    {
        var customer = _customers.Add(language: language);
        var order = Events.Updated(customer, status, status) with { Return = new([new(Events.Chai.ProductId, 2)], true) };
        await _app.PublishAsync(order);

        var told = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal("orderReturned", (string?)told["template"]);
        Assert.Equal($"{subject} {order.OrderId}", Mails.Single().Subject);
        Assert.Contains("2 x Chai", Mails.Single().TextBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_that_keeps_the_status_sends_no_message()
    {
        var customer = _customers.Add();
        var delivered = Events.Updated(customer, OrderStatus.Delivered, OrderStatus.Delivered);
        await _app.PublishAsync(delivered);
        var shipped = Events.Updated(customer, OrderStatus.Shipped, OrderStatus.Shipped);
        _customers.Shipments[shipped.OrderId] = ("UPS", "1Z999");
        await _app.PublishAsync(shipped);

        Assert.Equal("shipmentChanged", (string?)(await _app.ListAsync($"orderId={shipped.OrderId}&status=sent")).Single()["template"]);
        Assert.Contains("Tracking number: 1Z999", Mails.Single().TextBody, StringComparison.Ordinal);
        Assert.Empty(await _app.ListNowAsync($"orderId={delivered.OrderId}"));
    }

    [Fact]
    public async Task The_shipped_mail_has_carrier_and_tracking_number_and_waits_for_them()
    {
        var customer = _customers.Add(language: "de");
        var order = Events.Updated(customer, OrderStatus.Shipped, OrderStatus.Confirmed);
        _customers.Shipments[order.OrderId] = ("DHL", "00340434161094021501");
        _customers.OrdersAndProductsAnswer = false;
        await _app.PublishAsync(order);
        var other = Events.Created(_customers.Add());
        await _app.PublishAsync(other);
        // The message of the other order does not wait for Orders.
        await _app.ListAsync($"orderId={other.OrderId}&status=sent");
        var waiting = (await _app.ListAsync($"orderId={order.OrderId}", each: n => n["lastError"] is not null)).Single();
        Assert.Equal(("pending", 0, "Orders does not answer."), ((string?)waiting["status"], (int?)waiting["attempts"], (string?)waiting["lastError"]));

        _customers.OrdersAndProductsAnswer = true;
        await _app.ListAsync($"orderId={order.OrderId}&status=sent");
        var text = Mails.Single(m => m.Subject!.Contains(order.OrderId.ToString(), StringComparison.Ordinal)).TextBody;
        Assert.Contains("Versand durch: DHL", text, StringComparison.Ordinal);
        Assert.Contains("Sendungsnummer: 00340434161094021501", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shipped_mail_without_shipment_data_leaves_it_out()
    {
        var order = Events.Updated(_customers.Add(), OrderStatus.Shipped, OrderStatus.Confirmed);
        await _app.PublishAsync(order);
        await _app.ListAsync($"orderId={order.OrderId}&status=sent");
        Assert.DoesNotContain("Carrier", Mails.Single().TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("Tracking", Mails.Single().TextBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Amounts_and_names_of_a_mail_suit_its_language_and_direction()
    {
        var customer = _customers.Add(language: "de-AT", name: "Maria\u202Eanders");
        var order = Events.Created(customer, lines: Events.Chai with { Name = "שלום" }) with { Total = new(1234.5m, "EUR") };
        await _app.PublishAsync(order);
        await _app.ListAsync($"orderId={order.OrderId}&status=sent");
        Assert.Contains("Summe: 1.234,50 €", Mails.Single().TextBody, StringComparison.Ordinal);
        Assert.Contains("\u2068שלום\u2069", Mails.Single().TextBody, StringComparison.Ordinal);
        Assert.Contains("\u2068Mariaanders\u2069", Mails.Single().TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", Mails.Single().TextBody, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1234567.5", "EUR", "en", "1,234,567.50 EUR")]
    [InlineData("1234567.5", "EUR", "de", "1.234.567,50 €")]
    [InlineData("3000.00", "JPY", "de", "3.000 JPY")]
    [InlineData("3000.00", "JPY", "ja", "3,000 JPY")]
    [InlineData("1.50", "KWD", "en-GB", "1.500 KWD")]
    [InlineData("1.50", "KWD", "de", "1,500 KWD")]
    [InlineData("1234.5", "EUR", "fr-CA", "1\u00A0234,50 €")]
    [InlineData("1234.5", "CHF", "de-CH", "1\u2019234.50 CHF")]
    [InlineData("1.2345", "EUR", "en", "1.2345 EUR")]
    [InlineData("12", "ZZZ", "xx", "12.00 ZZZ")]
    [InlineData("0", "EUR", "de", "0,00 €")]
    public void Amounts_are_written_by_currency_and_language(string amount, string currency, string language, string text) =>
        Assert.Equal(text, MoneyText.Format(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), currency, language));

    [Theory]
    [InlineData("a(b)@example.com")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("a@example.com.")]
    [InlineData("Maria <a@example.com>")]
    [InlineData("a@example.com, b@example.com")]
    public async Task Nothing_is_mailed_to_an_old_address_that_a_parser_would_change(string address)
    {
        var order = Events.Created(_customers.Add(email: address));
        await _app.PublishAsync(order);
        var failed = (await _app.ListAsync($"orderId={order.OrderId}&status=failed")).Single();
        Assert.Equal("The e-mail address is not valid.", (string?)failed["lastError"]);
        Assert.Empty(_smtp.Mails);
    }

    [Fact]
    public async Task A_domain_in_capitals_is_mailed_as_the_same_name()
    {
        var order = Events.Created(_customers.Add(email: "maria@BÜCHER.example"));
        await _app.PublishAsync(order);
        await _app.ListAsync($"orderId={order.OrderId}", each: n => (string?)n["status"] != "pending" || n["lastError"] is not null);
        Assert.Equal("", (string?)(await _app.ListNowAsync($"orderId={order.OrderId}")).Single()["lastError"] ?? "");
        Assert.Equal("maria@xn--bcher-kva.example", _smtp.Mails.Single().To.Single());
    }
}
