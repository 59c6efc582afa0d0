using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrderInventory.Contracts.Customers;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>What an endpoint's responses mean by the Standard Webhooks specification, and for whom webhooks can exist.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class WebhookAnswersTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const string Webhooks = "/api/notifications/webhooks";

    private readonly DirectoryInfo _pickup = Directory.CreateTempSubdirectory("pickup-");
    private readonly CustomersServer _customers = new();
    private WebhookServer _server = null!;
    private NotificationsApp _app = null!;

    public async Task InitializeAsync()
    {
        await _customers.StartAsync();
        _server = await WebhookServer.StartAsync();
        _app = await NotificationsApp.StartAsync(
            infrastructure, $"file://{_pickup.FullName}", _customers, new() { ["Notifications:Webhooks:AllowPrivateTargets"] = "true" });
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _server.DisposeAsync();
        await _customers.DisposeAsync();
        _pickup.Delete(recursive: true);
    }

    [Fact]
    public async Task Gone_switches_the_endpoint_off_until_somebody_switches_it_on()
    {
        _server.Answers["/gone"] = Answer(410);
        var webhook = await CreateAsync("/gone");
        await _app.PublishAsync(Events.Created(_customers.Add()));

        var off = await Wait.UntilAsync(() => GetAsync(webhook), w => !(bool)w["active"]!);
        Assert.Equal(("The endpoint answered 410 (Gone).", 2L), ((string?)off["disabledReason"], (long?)off["version"]));
        var failed = (await _app.ListAsync("channel=webhook&status=failed")).Single();
        Assert.Equal(("The endpoint answered 410.", 1), ((string?)failed["lastError"], (int?)failed["attempts"]));

        _server.Answers.TryRemove("/gone", out _);
        var on = await _app.Http.SendAsync(HttpMethod.Patch, $"{Webhooks}/{webhook["id"]}", """{"active": true}""", "\"2\"", type: "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, on.StatusCode);
        Assert.Null((await on.ReadAsync())["disabledReason"]);
        await _app.PublishAsync(Events.Created(_customers.Add()));
        await _app.ListAsync("channel=webhook&status=sent");
    }

    [Fact]
    public async Task A_test_is_one_signed_attempt_that_leaves_nothing_behind()
    {
        var webhook = await CreateAsync("/test");

        var taken = await (await _app.Http.SendAsync(HttpMethod.Post, $"{Webhooks}/{webhook["id"]}/test")).ReadAsync();

        Assert.Equal(204, (int?)taken["statusCode"]);
        Assert.Null(taken["error"]);
        Assert.Equal(0, _server.RequestsTo("/test").Single().SignedBy((string)webhook["secret"]!));
        Assert.Empty((await (await _app.Http.SendAsync(HttpMethod.Get, $"{Webhooks}/{webhook["id"]}/deliveries")).ReadAsync())["items"]!.AsArray());

        _server.Answers["/test"] = Answer(500);
        var refused = await (await _app.Http.SendAsync(HttpMethod.Post, $"{Webhooks}/{webhook["id"]}/test")).ReadAsync();
        Assert.Equal((500, "The endpoint answered 500."), ((int?)refused["statusCode"], (string?)refused["error"]));
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.SendAsync(HttpMethod.Post, $"{Webhooks}/{Guid.CreateVersion7()}/test")).StatusCode);
    }

    [Theory]
    [InlineData(429, false, 600)]
    [InlineData(503, true, 600)]
    [InlineData(503, false, 86_400)]
    public async Task Retry_After_is_obeyed_within_bounds(int status, bool asDate, int seconds)
    {
        _server.Answers["/busy"] = Answer(status, asDate
            ? TimeProvider.System.GetUtcNow().AddSeconds(seconds).ToString("R", CultureInfo.InvariantCulture)
            : seconds.ToString(CultureInfo.InvariantCulture));
        var webhook = await CreateAsync("/busy");
        await _app.PublishAsync(Events.Created(_customers.Add()));
        await _app.ListAsync("channel=webhook", each: n => (int)n["attempts"]! == 1);

        var expected = Math.Min(seconds, 3600);
        var wait = await _app.QueryAsync<decimal>("SELECT extract(epoch FROM next_attempt_at - now()) FROM notifications WHERE channel = 'webhook'");
        Assert.InRange(wait, expected - 60, expected + 1);
        var pause = await _app.QueryAsync<decimal>("SELECT extract(epoch FROM paused_until - now()) FROM webhooks");
        Assert.InRange(pause, expected - 60, expected + 1);

        // The webhook's pause also holds other events, on any replica; a new address ends it.
        await _app.QueryAsync<object>("UPDATE notifications SET next_attempt_at = now()");
        _server.Answers.TryRemove("/busy", out _);
        var patched = await _app.Http.SendAsync(
            HttpMethod.Patch, $"{Webhooks}/{webhook["id"]}", $$"""{"url": "{{_server.Address}}/free"}""", "\"1\"", type: "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        Assert.Equal(0, await _app.QueryAsync<long>("SELECT count(*) FROM webhooks WHERE paused_until IS NOT NULL"));
        Assert.Single(_server.RequestsTo("/busy"));
    }

    [Theory]
    [InlineData(503, "0")]
    [InlineData(503, "-5")]
    [InlineData(503, "soon")]
    [InlineData(429, "Mon, 01 Jan 2024 00:00:00 GMT")]
    [InlineData(500, "600")]
    public async Task Other_answers_are_retried(int status, string retryAfter)
    {
        var answers = 0;
        _server.Answers["/again"] = http => Interlocked.Increment(ref answers) == 1 ? Answer(status, retryAfter)(http) : Answer(204)(http);
        await CreateAsync("/again");
        await _app.PublishAsync(Events.Created(_customers.Add()));
        var sent = (await _app.ListAsync("channel=webhook&status=sent")).Single();
        Assert.Equal(2, (int)sent["attempts"]!);
    }

    [Fact]
    public async Task Nobody_unknown_or_erased_gets_a_webhook()
    {
        await ShouldBeUnknownAsync(Guid.CreateVersion7());
        var erased = _customers.Add();
        // Customers may still answer as before an erasure that this service already knows of.
        await EraseAsync(erased);
        await ShouldBeUnknownAsync(erased);

        var customer = _customers.Add();
        await _customers.StopAsync();
        var away = await PostAsync(customer);
        Assert.Equal((503, "/problems/dependency-unavailable"), ((int)away.StatusCode, (string?)(await away.ReadAsync())["type"]));
        await _customers.StartAsync();
        Assert.Equal(201, (int)(await PostAsync(customer)).StatusCode);
        Assert.Equal(1, await _app.QueryAsync<long>("SELECT count(*) FROM webhooks"));
    }

    [Fact]
    public async Task A_webhook_of_an_erased_customer_is_removed_with_its_pending_deliveries()
    {
        var customer = _customers.Add();
        await EraseAsync(customer);
        var webhook = Guid.CreateVersion7();
        await _app.QueryAsync<object>(
            """
            INSERT INTO webhooks (id, url, customer_id, active, secret, version, created_at, updated_at)
            VALUES ($1, 'http://127.0.0.1:9/', $2, false, 'a-secret-of-some-length', 1, now(), now())
            """,
            webhook, customer);
        await _app.QueryAsync<object>(
            """
            INSERT INTO notifications (id, event_id, event_type, customer_id, template, channel, recipient_ref, data, status, attempts, attempts_before, created_at, due_since, next_attempt_at)
            VALUES ($1, $1, 'order.created.v1', $2, 'event', 'webhook', $3::text, '{}', 'pending', 0, 0, now(), now(), now() + interval '1 day')
            """,
            Guid.CreateVersion7(), customer, webhook);

        await using var second = await NotificationsApp.StartAsync(infrastructure, $"file://{_pickup.FullName}", _customers, database: _app.ConnectionString);

        var ended = (await _app.ListAsync($"customerId={customer}&channel=webhook&status=failed")).Single();
        Assert.Equal("The customer has been erased.", (string?)ended["lastError"]);
        Assert.Equal(0, await _app.QueryAsync<long>("SELECT count(*) FROM webhooks"));
    }

    private static Func<HttpContext, Task> Answer(int status, string? retryAfter = null) => http =>
    {
        http.Response.StatusCode = status;
        if (retryAfter is not null)
        {
            http.Response.Headers.RetryAfter = retryAfter;
        }

        return Task.CompletedTask;
    };

    private Task<JsonNode> CreateAsync(string path) =>
        _app.Http.CreateAsync(Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","eventTypes":["order.created.v1"]}""");

    private async Task<JsonNode> GetAsync(JsonNode webhook) => await (await _app.Http.GetAsync($"{Webhooks}/{webhook["id"]}")).ReadAsync();

    private Task<HttpResponseMessage> PostAsync(Guid customer) =>
        _app.Http.SendAsync(HttpMethod.Post, Webhooks, $$"""{"url":"{{_server.Address}}/own","customerId":"{{customer}}"}""");

    private async Task ShouldBeUnknownAsync(Guid customer)
    {
        var answer = await PostAsync(customer);
        var problem = await answer.ReadAsync();
        Assert.Equal((422, "/problems/unknown-customer"), ((int)answer.StatusCode, (string?)problem["type"]));
        Assert.NotNull(problem["errors"]!["$.customerId"]);
    }

    private async Task EraseAsync(Guid customer)
    {
        await _app.PublishAsync(Events.Customer(customer, 2, status: CustomerStatus.Erased));
        await Wait.UntilAsync(async () => await _app.QueryAsync<string>("SELECT status FROM recipients WHERE customer_id = $1", customer), status => status == "erased");
    }
}
