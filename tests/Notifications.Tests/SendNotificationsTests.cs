using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Sending by SMTP, and what happens when a server is down.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class SendNotificationsTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private readonly SmtpServer _smtp = new();
    private readonly CustomersServer _customers = new();
    private readonly List<NotificationsApp> _apps = [];

    public Task InitializeAsync() => _customers.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }

        await _customers.DisposeAsync();
        await _smtp.DisposeAsync();
    }

    [Fact]
    public async Task Sends_by_smtp_over_one_connection_per_batch()
    {
        var app = await StartAsync();
        var customers = Enumerable.Range(0, 40).Select(_ => _customers.Add()).ToList();

        await Task.WhenAll(customers.Select(c => app.PublishAsync(Events.Created(c))));

        await Wait.UntilAsync(() => _smtp.Mails.Count == 40);
        Assert.Equal(customers.Select(c => _customers.EmailOf(c)).Order(), _smtp.Mails.Select(m => m.To.Single()).Order());
        Assert.True(_smtp.Connections < 40, $"{_smtp.Connections} connections");
        Assert.True(_customers.Calls < 40, $"{_customers.Calls} calls");
        var items = await app.ListAsync("status=sent", 40);
        Assert.Equal(items.Select(i => $"<{i["id"]}@orderinventory.localhost>").Order(), _smtp.Mails.Select(m => m.MessageId).Order());
    }

    [Fact]
    public async Task A_single_mail_is_sent_immediately()
    {
        var app = await StartAsync(new() { ["Notifications:PollInterval"] = "00:10:00" });
        var started = Stopwatch.GetTimestamp();

        await app.PublishAsync(Events.Created(_customers.Add()));

        await Wait.UntilAsync(() => _smtp.Mails.Count == 1);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Retries_when_the_mail_server_is_down()
    {
        _smtp.Stop();
        var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "50" });
        await app.PublishAsync(Events.Created(_customers.Add()));
        var waiting = (await app.ListAsync("status=pending", each: i => (int?)i["attempts"] >= 2)).Single();
        Assert.Contains("mail server", (string?)waiting["lastError"], StringComparison.Ordinal);

        _smtp.Start();

        var sent = (await app.ListAsync("status=sent")).Single();
        Assert.Null(sent["lastError"]);
        Assert.True((int?)sent["attempts"] >= 3);
        Assert.Single(_smtp.Mails);
    }

    [Fact]
    public async Task Fails_after_the_last_attempt_and_sends_again_on_request()
    {
        _smtp.Stop();
        var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "3" });
        await app.PublishAsync(Events.Created(_customers.Add()));

        var failed = (await app.ListAsync("status=failed")).Single();
        Assert.Equal(3, (int?)failed["attempts"]);
        Assert.Contains("mail server", (string?)failed["lastError"], StringComparison.Ordinal);
        Assert.Null(failed["sentAt"]);

        _smtp.Start();
        var answer = await app.Http.PostAsync($"/api/notifications/{failed["id"]}/resend", null);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var sent = (await app.ListAsync("status=sent")).Single();
        Assert.Equal((string?)failed["id"], (string?)sent["id"]);
        Assert.Equal(4, (int?)sent["attempts"]);
        Assert.Null(sent["lastError"]);
    }

    [Fact]
    public async Task A_server_that_requires_a_login_is_a_permanent_failure_with_a_clear_reason()
    {
        _smtp.RequiresLogin = true;
        var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "2" });
        await app.PublishAsync(Events.Created(_customers.Add()));

        var failed = (await app.ListAsync("status=failed")).Single();
        Assert.Equal((2, "The mail server requires a user name and password."), ((int)failed["attempts"]!, (string?)failed["lastError"]));
    }

    [Fact]
    public async Task A_customers_preferences_apply_before_their_event_arrives()
    {
        var app = await StartAsync();
        var customer = _customers.Add(phone: "+49 30 0074321", channels: new(Email: false, Sms: true, Webhook: false));

        await app.PublishAsync(Events.Created(customer));
        var refused = (await app.ListAsync($"customerId={customer}&status=failed")).Single();
        Assert.Equal(("email", "The customer does not want e-mail."), ((string?)refused["channel"], (string?)refused["lastError"]));

        // From here on the customer's channels are known.
        await app.PublishAsync(Events.Updated(customer, OrderStatus.Shipped));
        Assert.Equal("sms", (string?)(await app.ListAsync($"customerId={customer}&status=sent")).Single()["channel"]);
        Assert.Empty(_smtp.Mails);

        await app.PublishAsync(Events.Customer(customer, 2, email: true));
        await Wait.UntilAsync(async () => await app.QueryAsync<bool>("SELECT email FROM recipients WHERE customer_id = $1", customer), email => email);
    }

    [Fact]
    public async Task An_erasure_while_a_mail_is_being_sent_leaves_no_personal_data()
    {
        _smtp.Hold = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var app = await StartAsync();
        var customer = _customers.Add();
        await app.PublishAsync(Events.Created(customer));
        await Wait.UntilAsync(() => _smtp.Mails.Count == 1);

        await app.PublishAsync(Events.Customer(customer, 2, email: false, CustomerStatus.Erased));
        await app.ListAsync($"customerId={customer}&status=failed");
        _smtp.Hold.SetResult();
        // The sender writes the results of a batch before it sends the next one.
        await app.PublishAsync(Events.Created(_customers.Add()));
        await app.ListAsync("status=sent");

        Assert.Equal(1L, await app.QueryAsync<long>(
            "SELECT count(*) FROM notifications WHERE customer_id = $1 AND recipient IS NULL AND subject IS NULL AND body IS NULL", customer));
    }

    [Fact]
    public async Task Results_wait_while_the_database_is_down_and_nothing_is_sent_twice()
    {
        _smtp.Hold = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var database = new NpgsqlConnectionStringBuilder(await infrastructure.CreateDatabaseAsync("notifications"));
        using var proxy = new TcpProxy(database.Host!, database.Port);
        proxy.Start();
        database.Port = proxy.Port;
        var log = new LogKeeper();
        var app = await StartAsync(database: database.ConnectionString, services: services => services.AddSingleton<ILoggerProvider>(log));
        await app.PublishAsync(Events.Created(_customers.Add()));
        await Wait.UntilAsync(() => _smtp.Mails.Count == 1);

        proxy.Stop();
        _smtp.Hold.SetResult();
        await Wait.UntilAsync(() => log.Lines.Any(line => line.Contains("could not be written (attempt 6)", StringComparison.Ordinal)));
        proxy.Start();

        await Wait.UntilAsync(async () => (await app.Http.GetAsync("/api/notifications")).IsSuccessStatusCode, well => well);
        await app.ListAsync("status=sent");
        Assert.Single(_smtp.Mails);
    }

    [Fact]
    public async Task A_refused_recipient_does_not_delay_the_others()
    {
        var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "2" });
        var refused = _customers.Add();
        _smtp.Refused[_customers.EmailOf(refused)!] = true;
        await app.PublishAsync(Events.Created(refused));
        await app.PublishAsync(Events.Created(_customers.Add()));

        await app.ListAsync("status=sent");
        var failed = (await app.ListAsync($"customerId={refused}&status=failed")).Single();
        Assert.Contains("550", (string?)failed["lastError"], StringComparison.Ordinal);
        Assert.Equal(2, (int?)failed["attempts"]);
    }

    [Fact]
    public async Task Waits_while_Customers_is_down_without_counting_attempts()
    {
        await _customers.StopAsync();
        var app = await StartAsync();
        var customer = _customers.Add();
        await app.PublishAsync(Events.Created(customer));
        var waiting = (await app.ListAsync("status=pending", each: i => i["lastError"] is not null)).Single();
        Assert.Equal(0, (int?)waiting["attempts"]);

        await _customers.StartAsync();

        var sent = await Wait.UntilAsync(() => app.ListNowAsync("status=sent"), items => items.Count == 1);
        Assert.Equal(1, (int?)sent.Single()["attempts"]);
        Assert.Equal(_customers.EmailOf(customer), (string?)sent.Single()["recipient"]);
    }

    [Fact]
    public async Task An_unknown_customer_fails_with_a_clear_reason()
    {
        var app = await StartAsync();

        await app.PublishAsync(Events.Created(Guid.CreateVersion7()));

        var failed = (await app.ListAsync("status=failed")).Single();
        Assert.Contains("The customer does not exist", (string?)failed["lastError"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_erasure_also_cancels_pending_notifications()
    {
        _smtp.Stop();
        var app = await StartAsync();
        var customer = _customers.Add();
        await app.PublishAsync(Events.Created(customer));
        await app.ListAsync("status=pending", each: i => i["lastError"] is not null);

        await app.PublishAsync(Events.Customer(customer, 2, status: CustomerStatus.Erased));

        var failed = (await app.ListAsync("status=failed")).Single();
        Assert.Equal("The customer has been erased.", (string?)failed["lastError"]);
        Assert.Null(failed["recipient"]);
        _smtp.Start();
        await app.PublishAsync(Events.Created(_customers.Add()));
        await Wait.UntilAsync(() => _smtp.Mails.Count > 0);
        Assert.DoesNotContain(_smtp.Mails, m => m.To.Contains(_customers.EmailOf(customer)!));
    }

    [Fact]
    public async Task Two_concurrent_senders_send_each_mail_once()
    {
        await _customers.StopAsync();
        var settings = new Dictionary<string, string> { ["Notifications:MaxSendsPerSecond"] = "20" };
        var one = await StartAsync(settings);
        var two = await NotificationsApp.StartAsync(infrastructure, _smtp.ConnectionString, _customers, settings, one.ConnectionString);
        _apps.Add(two);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? one : two).PublishAsync(Events.Created(_customers.Add()))));
        await one.ListAsync("status=pending", 60);

        await _customers.StartAsync();

        await Wait.UntilAsync(() => one.ListNowAsync("status=sent"), items => items.Count == 60, 40);
        Assert.Equal(60, _smtp.Mails.Count);
        Assert.Equal(60, _smtp.Mails.Select(m => m.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task An_expired_lease_is_taken_over()
    {
        _smtp.Stop();
        var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "50" });
        await app.PublishAsync(Events.Created(_customers.Add()));
        var item = (await app.ListAsync("status=pending")).Single();

        // The row as left by a sender that was killed after claiming it.
        await Wait.UntilAsync(async () => await app.QueryAsync<Guid>(
            "UPDATE notifications SET leased_by = $1, lease_until = now() + interval '1 second', next_attempt_at = now() WHERE leased_by IS NULL RETURNING id",
            Guid.CreateVersion7()), id => id == Guid.Parse((string)item["id"]!));
        _smtp.Start();

        await app.ListAsync("status=sent");
        Assert.True(await app.QueryAsync<bool>("SELECT bool_and(leased_by IS NULL AND sent_at > created_at + interval '1 second') FROM notifications"));
        Assert.Single(_smtp.Mails);
    }

    [Fact]
    public async Task Keeps_to_the_sending_rate()
    {
        var app = await StartAsync(new() { ["Notifications:MaxSendsPerSecond"] = "10" });

        await Task.WhenAll(Enumerable.Range(0, 17).Select(_ => app.PublishAsync(Events.Created(_customers.Add()))));

        await Wait.UntilAsync(() => _smtp.Mails.Count == 17);
        var items = await app.ListAsync("status=sent", 17);
        Assert.True(await app.QueryAsync<TimeSpan>("SELECT max(sent_at) - min(created_at) FROM notifications") > TimeSpan.FromSeconds(1.2));
        Assert.Equal(17, items.Count);
    }

    [Fact]
    public async Task Sending_continues_the_orders_trace()
    {
        var app = await StartAsync();
        var trace = ActivityTraceId.CreateRandom();
        var spans = new System.Collections.Concurrent.ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("OrderInventory.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);

        await app.PublishAsync(Events.Created(_customers.Add()), traceParent: $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");

        await Wait.UntilAsync(() => spans.Any(s => s.OperationName == "send email" && s.TraceId == trace));
        Assert.Contains(spans, s => s.OperationName == "process order.created" && s.TraceId == trace);
    }

    private async Task<NotificationsApp> StartAsync(
        Dictionary<string, string>? settings = null, string? database = null, Action<IServiceCollection>? services = null)
    {
        var app = await NotificationsApp.StartAsync(infrastructure, _smtp.ConnectionString, _customers, settings, database, services);
        _apps.Add(app);
        return app;
    }
}
