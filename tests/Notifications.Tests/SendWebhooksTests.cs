using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Webhooks with special settings and failures: one service per test, which alone gets the events.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class SendWebhooksTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const string Webhooks = "/api/notifications/webhooks";
    private const string Secret = "a-secret-of-some-length";

    private readonly DirectoryInfo _pickup = Directory.CreateTempSubdirectory("pickup-");
    private readonly CustomersServer _customers = new();
    private WebhookServer _server = null!;

    public async Task InitializeAsync()
    {
        await _customers.StartAsync();
        _server = await WebhookServer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _customers.DisposeAsync();
        _pickup.Delete(recursive: true);
    }

    [Fact]
    public async Task A_slow_endpoint_delays_neither_mails_nor_other_webhooks()
    {
        var (slow, quick) = (NewPath(), NewPath());
        var released = new TaskCompletionSource();
        _server.Answers[slow] = http => Task.WhenAny(released.Task, Task.Delay(Timeout.Infinite, http.RequestAborted));
        await using var app = await StartAsync(new() { ["Notifications:Webhooks:Timeout"] = "00:00:30" });
        var made = await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{slow}}","secret":"{{Secret}}"}""");
        await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{quick}}","secret":"{{Secret}}"}""");
        var customer = _customers.Add();

        // More than the slow endpoint's lane takes at the same time.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => app.PublishAsync(Events.Created(customer))));

        await Wait.UntilAsync(() => _server.RequestsTo(quick).Count == 40);
        await app.ListAsync($"customerId={customer}&channel=email&status=sent", 40);
        Assert.InRange(_server.RequestsTo(slow).Count(r => r.Headers.Count > 0), 1, 8);
        Assert.Equal(40, (await app.ListNowAsync($"channel=webhook&status=pending")).Count(i => (string?)i["recipient"] == (string?)made["id"]));
        released.SetResult();
        await app.ListAsync("channel=webhook&status=sent", 80);
    }

    [Fact]
    public async Task A_failing_endpoint_gets_no_attempts_for_a_while_and_then_its_pending_deliveries()
    {
        var path = NewPath();
        var alive = false;
        _server.Answers[path] = http =>
        {
            http.Response.StatusCode = Volatile.Read(ref alive) ? 200 : 500;
            return Task.CompletedTask;
        };
        await using var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "100", ["Notifications:MaxRetryDelay"] = "00:00:01" });
        await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","secret":"{{Secret}}"}""");

        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => app.PublishAsync(Events.Created(Guid.CreateVersion7()))));
        await Wait.UntilAsync(() => _server.RequestsTo(path).Count > 8);
        var tries = _server.RequestsTo(path).Count;

        // Without the pause, each of the sixty would have been tried several times by now.
        Assert.InRange(tries, 5, 60);
        Volatile.Write(ref alive, true);
        await Wait.UntilAsync(async () => await app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE channel = 'webhook' AND status = 'sent'"), n => n == 60, 20);
    }

    [Fact]
    public async Task An_endpoint_that_fails_one_by_one_is_paused_too()
    {
        var path = NewPath();
        _server.Answers[path] = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var log = new LogKeeper();
        await using var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "100" }, services => services.AddSingleton<ILoggerProvider>(log));
        await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","secret":"{{Secret}}"}""");

        await app.PublishAsync(Events.Created(Guid.CreateVersion7()));

        await Wait.UntilAsync(() => log.Lines.Any(line => line.Contains("deliveries to it are paused", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Private_targets_are_refused_where_they_are_not_allowed()
    {
        await using var app = await StartAsync(new() { ["Notifications:Webhooks:AllowPrivateTargets"] = "false" });
        foreach (var host in new[] { "127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:192.168.1.1]", "[fd00::1]", "2130706433" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await app.Http.SendAsync(HttpMethod.Post, Webhooks, $$"""{"url":"http://{{host}}/"}""")).StatusCode);
        }

        // Like a name that leads to a private address: the request is valid, but the connection is refused.
        var path = NewPath();
        var webhook = await app.Http.CreateAsync(Webhooks, """{"url":"https://example.com/"}""");
        await app.QueryAsync<object>("UPDATE webhooks SET url = $1", $"{_server.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}{path}");
        var order = Events.Created(_customers.Add());
        await app.PublishAsync(order);

        var failed = (await app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=failed")).Single();
        Assert.Contains("private targets are not permitted", (string?)failed["lastError"], StringComparison.Ordinal);
        Assert.Empty(_server.RequestsTo(path));
        var log = (await (await app.Http.GetAsync($"{Webhooks}/{webhook["id"]}/deliveries")).ReadAsync())["items"]!.AsArray();
        Assert.Null(log[0]!["statusCode"]);
        Assert.Contains("private", (string?)log[0]!["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_a_webhook_cancels_its_pending_deliveries()
    {
        var path = NewPath();
        _server.Answers[path] = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using var app = await StartAsync(new() { ["Notifications:MaxAttempts"] = "100" });
        var webhook = await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{path}}"}""");
        var order = Events.Created(_customers.Add());
        await app.PublishAsync(order);
        await app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=pending", each: i => i["lastError"] is not null);

        (await app.Http.SendAsync(HttpMethod.Delete, $"{Webhooks}/{webhook["id"]}", ifMatch: "\"1\"")).EnsureSuccessStatusCode();

        var failed = (await app.ListNowAsync($"orderId={order.OrderId}&channel=webhook")).Single();
        Assert.Equal("failed", (string?)failed["status"]);
        Assert.Equal("The webhook has been deleted.", (string?)failed["lastError"]);
    }

    [Fact]
    public async Task Overdue_deliveries_fail_even_while_the_webhook_is_paused()
    {
        var path = NewPath();
        var customer = _customers.Add();
        await using var app = await StartAsync();
        await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{path}}"}""");
        await app.PublishAsync(Events.Created(customer));
        await app.ListAsync("channel=webhook&status=sent");
        await app.QueryAsync<object>("UPDATE webhooks SET active = false");
        await app.QueryAsync<object>("UPDATE notifications SET status = 'pending', sent_at = NULL, due_since = now() - interval '4 days' WHERE channel = 'webhook'");

        var queue = (Data.WebhookQueue)app.Services.GetService(typeof(Data.WebhookQueue))!;
        await queue.CleanAsync(TimeSpan.FromDays(3), CancellationToken.None);

        var failed = (await app.ListNowAsync("channel=webhook")).Single();
        Assert.Equal("failed", (string?)failed["status"]);
        Assert.Contains("in time", (string?)failed["lastError"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_events_are_deleted_once_no_delivery_is_pending()
    {
        await using var app = await StartAsync();
        await app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{NewPath()}}"}""");
        var old = Guid.CreateVersion7(TimeProvider.System.GetUtcNow().AddDays(-31));
        await app.PublishAsync(Events.Created(_customers.Add()), old);
        var young = await app.PublishAsync(Events.Created(_customers.Add()));
        await app.ListAsync("channel=webhook&status=sent", atLeast: 2);
        await app.QueryAsync<object>("UPDATE webhook_events SET time = now() - interval '31 days' WHERE event_id = $1", old);
        var queue = (Data.WebhookQueue)app.Services.GetService(typeof(Data.WebhookQueue))!;
        async Task<IEnumerable<Guid>> CleanAsync()
        {
            await queue.CleanAsync(TimeSpan.FromDays(3), CancellationToken.None);
            return (await app.QueryAsync<Guid[]>("SELECT array_agg(event_id ORDER BY event_id) FROM webhook_events"))!;
        }

        await app.QueryAsync<object>("UPDATE webhooks SET active = false");
        await app.QueryAsync<object>("UPDATE notifications SET status = 'pending' WHERE event_id = $1 AND channel = 'webhook'", old);
        Assert.Equal([old, young], await CleanAsync());

        await app.QueryAsync<object>("UPDATE notifications SET status = 'sent' WHERE event_id = $1 AND channel = 'webhook'", old);
        Assert.Equal([young], await CleanAsync());

        var id = await app.QueryAsync<Guid>("SELECT id FROM notifications WHERE event_id = $1 AND channel = 'webhook'", old);
        (await app.Http.PostAsync($"/api/notifications/{id}/resend", null)).EnsureSuccessStatusCode();
        await CleanAsync();
        var failed = (await app.ListNowAsync("channel=webhook&status=failed")).Single();
        Assert.Equal("The event is no longer kept.", (string?)failed["lastError"]);
    }

    [Fact]
    public async Task At_most_a_thousand_are_allowed()
    {
        await using var app = await StartAsync();
        await app.QueryAsync<object>(
            """
            INSERT INTO webhooks (id, url, active, secret, version, created_at, updated_at)
            SELECT gen_random_uuid(), 'https://example.com/', false, 'a-secret-of-some-length', 1, now(), now() FROM generate_series(1, 1000)
            """);

        var refused = await app.Http.SendAsync(HttpMethod.Post, Webhooks, """{"url":"https://example.com/"}""");

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal("/problems/limit-reached", (string?)(await refused.ReadAsync())["type"]);
    }

    [Fact]
    public async Task Lists_in_pages()
    {
        await using var app = await StartAsync();
        var made = new List<JsonNode>();
        for (var i = 0; i < 3; i++)
        {
            made.Add(await app.Http.CreateAsync(Webhooks, $$"""{"url":"https://example.com/{{i}}","active":false}"""));
        }

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await (await app.Http.GetAsync($"{Webhooks}?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).ReadAsync();
            seen.AddRange(page["items"]!.AsArray().Select(i => (string)i!["id"]!));
            Assert.All(page["items"]!.AsArray(), i => Assert.Null(i!["secret"]));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        Assert.Equal(made.Select(m => (string)m["id"]!), seen);
        Assert.Equal(HttpStatusCode.BadRequest, (await app.Http.GetAsync($"{Webhooks}?limit=0")).StatusCode);
    }

    private static string NewPath() => $"/{Guid.CreateVersion7():N}";

    private Task<NotificationsApp> StartAsync(Dictionary<string, string>? settings = null, Action<IServiceCollection>? services = null)
    {
        var all = new Dictionary<string, string> { ["Notifications:MaxAttempts"] = "4" };
        foreach (var (key, value) in settings ?? [])
        {
            all[key] = value;
        }

        return NotificationsApp.StartAsync(infrastructure, $"file://{_pickup.FullName}", _customers, all, services: services);
    }
}
