using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>What is recorded for which event, and that it is recorded once. The mails go to a pickup folder.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class RecordNotificationsTests(RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private readonly DirectoryInfo _pickup = running.Pickup;
    private readonly CustomersServer _customers = running.Customers;
    private readonly NotificationsApp _app = running.App;

    /// <summary>One running service for all tests here; each test has its own orders and customers.</summary>
    public sealed class Running(InfrastructureFixture infrastructure) : IAsyncLifetime
    {
        internal DirectoryInfo Pickup { get; } = Directory.CreateTempSubdirectory("pickup-");
        internal CustomersServer Customers { get; } = new();
        internal NotificationsApp App { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Customers.StartAsync();
            App = await NotificationsApp.StartAsync(infrastructure, $"file://{Pickup.FullName}", Customers);
        }

        public async Task DisposeAsync()
        {
            await App.DisposeAsync();
            await Customers.DisposeAsync();
            Pickup.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Notifies_the_customer_that_the_order_was_received()
    {
        var customer = _customers.Add("Maria Anders");
        var order = Events.Created(customer);

        var eventId = await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal(
            ["id", "eventId", "eventType", "orderId", "customerId", "template", "channel", "recipient", "status", "attempts", "createdAt", "sentAt", "lastError", "templateLanguage", "templateVersion"],
            item.AsObject().Select(m => m.Key));
        Assert.Equal(eventId.ToString(), (string?)item["eventId"]);
        Assert.Equal("order.created.v1", (string?)item["eventType"]);
        Assert.Equal(customer.ToString(), (string?)item["customerId"]);
        Assert.Equal("orderReceived", (string?)item["template"]);
        Assert.Equal("email", (string?)item["channel"]);
        Assert.Equal(_customers.EmailOf(customer), (string?)item["recipient"]);
        Assert.Equal(1, (int?)item["attempts"]);
        Assert.NotNull(item["sentAt"]);
        Assert.Null(item["lastError"]);

        var mail = await File.ReadAllTextAsync(Path.Combine(_pickup.FullName, $"{item["id"]}.eml"));
        Assert.Contains($"Message-Id: <{item["id"]}@orderinventory.localhost>", mail, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"To: {_customers.EmailOf(customer)}", mail, StringComparison.Ordinal);
        Assert.Contains("From: orders@orderinventory.localhost", mail, StringComparison.Ordinal);
        Assert.Contains("Dear Maria Anders,", mail, StringComparison.Ordinal);
        Assert.Contains("3 x Chai", mail, StringComparison.Ordinal);
        Assert.Contains("54.00 EUR", mail, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", mail, StringComparison.Ordinal);
        Assert.Empty(_pickup.GetFiles("*.tmp"));
    }

    // Fails when the messages that one batch records are listed in an arbitrary order.
    [Fact]
    public async Task Lists_the_messages_of_one_order_in_the_order_of_its_versions()
    {
        var customer = _customers.Add("Maria Anders");
        var order = Guid.CreateVersion7();
        OrderStatus[] statuses = [OrderStatus.Confirmed, OrderStatus.Shipped, OrderStatus.Delivered];

        await Task.WhenAll(Enumerable.Range(0, 12).Select(version =>
            _app.PublishAsync(Events.Updated(customer, statuses[version % 3], order: order) with { Version = version + 2 })));

        var items = await _app.ListAsync($"orderId={order}", atLeast: 12);
        Assert.Equal(
            Enumerable.Range(0, 12).Select(version => new[] { "orderConfirmed", "orderShipped", "orderDelivered" }[version % 3]),
            items.Select(item => (string?)item["template"]));
    }

    [Theory]
    [InlineData(OrderStatus.Confirmed, OrderStatus.Pending, "orderConfirmed")]
    [InlineData(OrderStatus.Confirmed, OrderStatus.RevisionPending, "orderRevised")]
    [InlineData(OrderStatus.Rejected, OrderStatus.Pending, "orderRejected")]
    [InlineData(OrderStatus.Expired, OrderStatus.Pending, "orderExpired")]
    [InlineData(OrderStatus.Cancelled, OrderStatus.CancelPending, "orderCancelled")]
    [InlineData(OrderStatus.Shipped, OrderStatus.Confirmed, "orderShipped")]
    [InlineData(OrderStatus.Delivered, OrderStatus.Shipped, "orderDelivered")]
    public async Task Chooses_the_template_by_what_happened_to_the_order(OrderStatus status, OrderStatus previous, string template)
    {
        var order = Events.Updated(_customers.Add(), status, previous);

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal(template, (string?)item["template"]);
        Assert.DoesNotContain("{{", await _app.QueryAsync<string>("SELECT subject || body FROM notifications WHERE id = $1", Id(item)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Intermediate_steps_notify_nobody_and_cost_no_inbox_row()
    {
        var customer = _customers.Add();
        var order = Guid.CreateVersion7();
        List<Guid> quiet =
        [
            await _app.PublishAsync(Events.Updated(customer, OrderStatus.CancelPending, OrderStatus.Confirmed, order)),
            await _app.PublishAsync(Events.Updated(customer, OrderStatus.RevisionPending, OrderStatus.Confirmed, order)),
        ];
        await _app.PublishAsync(Events.Updated(customer, OrderStatus.Cancelled, OrderStatus.CancelPending, order));

        Assert.Equal("orderCancelled", (string?)(await _app.ListAsync($"orderId={order}")).Single()["template"]);
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM inbox_messages WHERE id = ANY ($1)", quiet.ToArray()));
    }

    [Fact]
    public async Task A_rejection_names_what_was_short()
    {
        var order = Events.Updated(_customers.Add(), OrderStatus.Rejected) with
        {
            Rejection = new(Rejection.InsufficientStock, [new(Events.Chai.ProductId, 3, 1)]),
        };

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Contains("Chai: 3 asked for, 1 available", await BodyAsync(item), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revision_that_failed_says_so()
    {
        var order = Events.Updated(_customers.Add(), OrderStatus.Confirmed, OrderStatus.RevisionPending) with
        {
            Revision = new(RevisionStatus.Rejected, [Events.Chai], new(Rejection.InsufficientStock, [new(Events.Chai.ProductId, 30, 1)])),
        };

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        var body = await BodyAsync(item);
        Assert.Contains("could not be made", body, StringComparison.Ordinal);
        Assert.Contains("Chai: 30 asked for, 1 available", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Staff_are_notified_only_when_stock_becomes_low()
    {
        var low = Events.Stock(LowStockCrossing.Entered);
        List<Guid> quiet = [await _app.PublishAsync(Events.Stock(null)), await _app.PublishAsync(Events.Stock(LowStockCrossing.Left))];

        var eventId = await _app.PublishAsync(low);

        await HandledAsync(eventId);
        await Wait.UntilAsync(async () => await _app.QueryAsync<string>("SELECT status FROM notifications WHERE event_id = $1", eventId), s => s == "sent");
        var item = (await _app.ListNowAsync("status=sent")).Single(i => (string?)i["eventId"] == eventId.ToString());
        Assert.Equal("lowStock", (string?)item["template"]);
        Assert.Equal("inventory-manager", (string?)item["recipient"]);
        Assert.Null(item["customerId"]);
        Assert.Null(item["orderId"]);
        Assert.Contains(low.ProductId.ToString(), await BodyAsync(item), StringComparison.Ordinal);
        Assert.DoesNotContain(await _app.ListNowAsync(""), i => quiet.Contains(Guid.Parse((string)i["eventId"]!)));
    }

    [Fact]
    public async Task One_event_gives_one_notification_however_often_it_comes()
    {
        var order = Events.Created(_customers.Add());
        var eventId = await _app.PublishAsync(order);
        await _app.PublishAsync(order, eventId);
        await _app.PublishAsync(order, eventId);
        await MarkerAsync();

        await _app.QueryAsync<object>("DELETE FROM inbox_messages WHERE id = $1", eventId);
        await _app.PublishAsync(order, eventId);
        await MarkerAsync();
        await HandledAsync(eventId);

        Assert.Single(await _app.ListNowAsync($"orderId={order.OrderId}"));
    }

    [Fact]
    public async Task A_customer_who_does_not_want_mail_gets_none()
    {
        var customer = _customers.Add();
        await KeepAsync(Events.Customer(customer, 2, email: false));
        await KeepAsync(Events.Customer(customer, 1, email: true), expectedVersion: 2);

        var quiet = Events.Created(customer);
        await HandledAsync(await _app.PublishAsync(quiet));
        Assert.Empty(await _app.ListNowAsync($"customerId={customer}"));

        await KeepAsync(Events.Customer(customer, 3, email: true));
        var loud = Events.Created(customer);
        await _app.PublishAsync(loud);
        Assert.Equal(loud.OrderId.ToString(), (string?)(await _app.ListAsync($"customerId={customer}")).Single()["orderId"]);
    }

    [Fact]
    public async Task An_erasure_removes_the_messages_to_the_customer()
    {
        var customer = _customers.Add("Ana Trujillo");
        await _app.PublishAsync(Events.Created(customer));
        var item = (await _app.ListAsync($"customerId={customer}&status=sent")).Single();
        Assert.NotNull(item["recipient"]);

        await KeepAsync(Events.Customer(customer, 9, email: false, CustomerStatus.Erased));

        item = (await _app.ListNowAsync($"customerId={customer}")).Single();
        Assert.Equal("sent", (string?)item["status"]);
        Assert.Null(item["recipient"]);
        Assert.True(await _app.QueryAsync<bool>("SELECT subject IS NULL AND body IS NULL AND last_error IS NULL FROM notifications WHERE id = $1", Id(item)));

        // An erasure is final: neither a late event nor a resend brings anything back.
        await KeepAsync(Events.Customer(customer, 10), expectedVersion: 9);
        (await _app.Http.PostAsync($"/api/notifications/{item["id"]}/resend", null)).EnsureSuccessStatusCode();
        item = (await _app.ListAsync($"customerId={customer}&status=failed")).Single();
        Assert.Equal("The customer has been erased.", (string?)item["lastError"]);
        Assert.Null(item["recipient"]);
    }

    [Fact]
    public async Task A_poison_message_becomes_a_dead_letter_and_the_next_event_is_handled()
    {
        var order = Events.Created(_customers.Add());
        var poison = await _app.PublishRawAsync(OrderCreated.Topic, OrderCreated.Type, order.OrderId, "{\"orderId\": 7}"u8.ToArray());
        await _app.PublishAsync(order);

        await _app.ListAsync($"orderId={order.OrderId}");
        var letter = (await DeadLettersAsync()).Single(l => (string?)l["eventId"] == poison.ToString());
        Assert.Equal("order.created", (string?)letter["topic"]);
        Assert.Equal(7, (int?)letter["payload"]!["orderId"]);

        // Replayed, the letter fails as before and stays the same entry; then it is discarded.
        var replay = await _app.Http.PostAsync($"/api/notifications/dead-letters/{letter["id"]}/replay", null);
        Assert.Equal(HttpStatusCode.Accepted, replay.StatusCode);
        Assert.Equal(1, (int?)(await DeadLettersAsync()).Single(l => (string?)l["id"] == (string?)letter["id"])["attempts"]);
        Assert.Equal(HttpStatusCode.NoContent, (await _app.Http.DeleteAsync($"/api/notifications/dead-letters/{letter["id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.DeleteAsync($"/api/notifications/dead-letters/{letter["id"]}")).StatusCode);
        Assert.DoesNotContain(await DeadLettersAsync(), l => (string?)l["id"] == (string?)letter["id"]);
    }

    [Fact]
    public async Task A_dead_letter_is_applied_by_replay_once_its_cause_is_gone()
    {
        var order = Events.Created(_customers.Add());
        await _app.QueryAsync<object>($"ALTER TABLE notifications ADD CONSTRAINT cause CHECK (order_id <> '{order.OrderId}')");
        var eventId = await _app.PublishAsync(order);
        var letter = (await Wait.UntilAsync(DeadLettersAsync, letters => letters.Any(l => (string?)l["eventId"] == eventId.ToString()))).Single(l => (string?)l["eventId"] == eventId.ToString());
        Assert.Empty(await _app.ListNowAsync($"orderId={order.OrderId}"));

        await _app.QueryAsync<object>("ALTER TABLE notifications DROP CONSTRAINT cause");
        (await _app.Http.PostAsync($"/api/notifications/dead-letters/{letter["id"]}/replay", null)).EnsureSuccessStatusCode();

        Assert.Single(await _app.ListAsync($"orderId={order.OrderId}"));
        Assert.DoesNotContain(await DeadLettersAsync(), l => (string?)l["id"] == (string?)letter["id"]);
    }

    [Fact]
    public async Task A_large_order_is_recorded_in_shortened_form()
    {
        var lines = Enumerable.Range(1, 500).Select(i => Events.Chai with { ProductId = Guid.CreateVersion7(), Name = $"Product {i}\r\nBcc: x@example.com" }).ToArray();
        var order = Events.Created(_customers.Add(), null, lines);

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        var body = await BodyAsync(item);
        Assert.Contains("Product 50 Bcc: x@example.com", body, StringComparison.Ordinal);
        Assert.Contains("and 450 more lines", body, StringComparison.Ordinal);
        Assert.DoesNotContain("Product 51", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_burst_is_recorded_in_full_and_once()
    {
        var customer = _customers.Add();
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => _app.PublishAsync(Events.Created(customer))));

        await Wait.UntilAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE customer_id = $1", customer), rows => rows == 1000);
    }

    private async Task<List<JsonNode>> DeadLettersAsync() =>
        [.. (await System.Net.Http.Json.HttpClientJsonExtensions.GetFromJsonAsync<JsonNode>(_app.Http, "/api/notifications/dead-letters?limit=100"))!["items"]!.AsArray().Select(i => i!)];

    /// <summary>Publishes a customer's preferences and waits until they are applied.</summary>
    private async Task KeepAsync(CustomerUpdated customer, long? expectedVersion = null)
    {
        var eventId = await _app.PublishAsync(customer);
        await HandledAsync(eventId);
        Assert.Equal(
            expectedVersion ?? customer.Version,
            await _app.QueryAsync<long>("SELECT version FROM recipients WHERE customer_id = $1", customer.CustomerId));
    }

    private Task<long> HandledAsync(Guid eventId) => Wait.UntilAsync(
        async () => await _app.QueryAsync<long>("SELECT count(*) FROM inbox_messages WHERE id = $1", eventId), rows => rows == 1);

    /// <summary>Publishes events to every partition, so that everything published before is handled when this returns.</summary>
    private async Task MarkerAsync()
    {
        // Twelve partitions on a real Kafka: with 100 keys, it is unlikely that one gets none (0.2 %).
        var customer = _customers.Add();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => _app.PublishAsync(Events.Created(customer))));
        await Wait.UntilAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE customer_id = $1", customer), rows => rows == 100);
    }

    private async Task<string> BodyAsync(JsonNode item) =>
        await _app.QueryAsync<string>("SELECT body FROM notifications WHERE id = $1", Id(item)) ?? "";

    private static Guid Id(JsonNode item) => Guid.Parse((string)item["id"]!);
}
