using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Subscriptions, and what their endpoints receive.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class WebhookTests(WebhookTests.Running running) : IClassFixture<WebhookTests.Running>
{
    private const string Webhooks = "/api/notifications/webhooks";
    private const string Secret = "a-secret-of-some-length";

    private readonly NotificationsApp _app = running.App;
    private readonly WebhookServer _server = running.Server;

    public sealed class Running(InfrastructureFixture infrastructure) : IAsyncLifetime
    {
        internal DirectoryInfo Pickup { get; } = Directory.CreateTempSubdirectory("pickup-");
        internal CustomersServer Customers { get; } = new();
        internal WebhookServer Server { get; private set; } = null!;
        internal NotificationsApp App { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Customers.StartAsync();
            Server = await WebhookServer.StartAsync();
            App = await NotificationsApp.StartAsync(
                infrastructure, $"file://{Pickup.FullName}", Customers, new() { ["Notifications:MaxAttempts"] = "4", ["Notifications:Webhooks:Timeout"] = "00:00:02" });
        }

        public async Task DisposeAsync()
        {
            await App.DisposeAsync();
            await Server.DisposeAsync();
            await Customers.DisposeAsync();
            Pickup.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Creates_with_a_generated_secret_that_is_shown_once()
    {
        var path = NewPath();
        var response = await _app.Http.SendAsync(HttpMethod.Post, Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","active":false}""");
        var made = await response.ReadAsync();

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal($"{Webhooks}/{made["id"]}", response.Headers.Location?.ToString());
        Assert.Equal("\"1\"", response.Headers.ETag?.Tag);
        Assert.Equal(32, Convert.FromBase64String(((string)made["secret"]!)["whsec_".Length..]).Length);
        Assert.Null(made["eventTypes"]);
        Assert.Equal('7', ((string)made["id"]!)[14]);
        var read = await (await _app.Http.GetAsync($"{Webhooks}/{made["id"]}")).ReadAsync();
        Assert.Null(read["secret"]);
        Assert.Equal(1, (int?)read["version"]);
        Assert.Empty(_server.RequestsTo(path));
        await DeleteAsync(made);
    }

    [Fact]
    public async Task An_idempotency_key_makes_one_webhook_and_does_not_show_the_secret_again()
    {
        var body = $$"""{"url":"{{_server.Address}}{{NewPath()}}","active":false}""";
        var key = Guid.CreateVersion7().ToString();

        var first = await (await _app.Http.SendAsync(HttpMethod.Post, Webhooks, body, key: key)).ReadAsync();
        var again = await _app.Http.SendAsync(HttpMethod.Post, Webhooks, body, key: key);

        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        var replayed = await again.ReadAsync();
        Assert.Equal((string?)first["id"], (string?)replayed["id"]);
        Assert.Null(replayed["secret"]);
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            (await _app.Http.SendAsync(HttpMethod.Post, Webhooks, body.Replace("false", "true", StringComparison.Ordinal), key: key)).StatusCode);
        await DeleteAsync(first);
    }

    [Theory]
    [InlineData("""{"url":"ftp://example.com/"}""", "$.url")]
    [InlineData("""{"url":"/relative"}""", "$.url")]
    [InlineData("""{"url":"http://user:password@example.com/"}""", "$.url")]
    [InlineData("""{"url":"http://example.com/#x"}""", "$.url")]
    [InlineData("""{"url":"https://example.com/","eventTypes":[]}""", "$.eventTypes")]
    [InlineData("""{"url":"https://example.com/","eventTypes":["order.created.v1","order.exploded.v1"]}""", "$.eventTypes[1]")]
    [InlineData("""{"url":"https://example.com/","secret":"short"}""", "$.secret")]
    [InlineData("""{"url":"https://example.com/","secret":"whsec_not-base64-at-all"}""", "$.secret")]
    [InlineData("""{"url":"https://example.com/","color":"red"}""", "$.color")]
    [InlineData("""{}""", "$.url")]
    [InlineData("""{"url":7}""", "$.url")]
    public async Task Refuses_invalid_webhooks(string body, string path)
    {
        var response = await _app.Http.SendAsync(HttpMethod.Post, Webhooks, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(path, (await response.ReadAsync())["errors"]!.AsObject().Select(e => e.Key));
    }

    [Fact]
    public async Task Delivers_a_signed_cloud_event_and_logs_it()
    {
        var path = NewPath();
        var webhook = await CreateAsync(path, types: "\"order.updated.v1\"");
        var customer = running.Customers.Add("Maria Anders");
        var order = Events.Updated(customer, OrderStatus.Shipped);

        await _app.PublishAsync(Events.Created(customer, order.OrderId));
        var eventId = await _app.PublishAsync(order);

        var sent = (await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=sent")).Single();
        var request = _server.RequestsTo(path).Single();
        Assert.Equal("POST", request.Method);
        Assert.Equal("application/cloudevents+json", request.Headers["Content-Type"]);
        Assert.Equal((string?)sent["id"], request.Id);
        Assert.Equal(0, request.SignedBy(Secret));
        Assert.Single(request.Signatures);
        Assert.InRange(long.Parse(request.Headers["Webhook-Timestamp"], System.Globalization.CultureInfo.InvariantCulture) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), -60, 60);
        Assert.False(request.Headers.ContainsKey("traceparent"));
        var got = request.Event;
        Assert.Equal("1.0", (string?)got["specversion"]);
        Assert.Equal(eventId.ToString(), (string?)got["id"]);
        Assert.Equal("order.updated.v1", (string?)got["type"]);
        Assert.Equal("/tests", (string?)got["source"]);
        Assert.Equal(order.OrderId.ToString(), (string?)got["subject"]);
        Assert.True(DateTimeOffset.TryParse((string?)got["time"], out _));
        Assert.Equal("shipped", (string?)got["data"]!["status"]);
        Assert.Equal("Chai", (string?)got["data"]!["lines"]![0]!["name"]);
        Assert.DoesNotContain("Maria", request.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("@", request.Body, StringComparison.Ordinal);
        Assert.Equal((string?)webhook["id"], (string?)sent["recipient"]);
        Assert.Equal("event", (string?)sent["template"]);

        var log = (await DeliveriesAsync(webhook)).Single();
        Assert.Equal(["id", "notificationId", "eventId", "eventType", "attempt", "attemptedAt", "statusCode", "durationMs", "error"], log.AsObject().Select(m => m.Key));
        Assert.Equal((string?)sent["id"], (string?)log["notificationId"]);
        Assert.Equal(204, (int?)log["statusCode"]);
        Assert.Equal(1, (int?)log["attempt"]);
        Assert.Null(log["error"]);
        await DeleteAsync(webhook);
    }

    [Fact]
    public async Task A_subscription_to_all_gets_intermediate_steps_and_stock_too()
    {
        var path = NewPath();
        var webhook = await CreateAsync(path);
        var customer = running.Customers.Add();
        var order = Guid.CreateVersion7();
        List<Guid> published =
        [
            await _app.PublishAsync(Events.Created(customer, order)),
            await _app.PublishAsync(Events.Updated(customer, OrderStatus.CancelPending, OrderStatus.Confirmed, order)),
            await _app.PublishAsync(Events.Stock(null)),
            await _app.PublishAsync(Events.Customer(customer, 1)),
        ];

        await Wait.UntilAsync(() => published.All(id => _server.RequestsTo(path).Any(r => (string?)r.Event["id"] == id.ToString())));
        await DeleteAsync(webhook);
    }

    [Fact]
    public async Task Retries_with_the_same_id_and_body_and_then_fails_until_it_is_sent_again()
    {
        var path = NewPath();
        var status = 503;
        _server.Answers[path] = http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        var webhook = await CreateAsync(path);
        var order = Events.Created(running.Customers.Add());

        await _app.PublishAsync(order);

        var failed = (await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=failed")).Single();
        Assert.Equal(4, (int?)failed["attempts"]);
        Assert.Contains("503", (string?)failed["lastError"], StringComparison.Ordinal);
        Assert.Equal([4, 3, 2, 1], (await DeliveriesAsync(webhook)).Select(d => (int)d["attempt"]!));
        Assert.All(await DeliveriesAsync(webhook), d => Assert.Equal(503, (int?)d["statusCode"]));
        var requests = _server.RequestsTo(path);
        Assert.Single(requests.Select(r => (r.Id, r.Body)).Distinct());

        status = 200;
        (await _app.Http.PostAsync($"/api/notifications/{failed["id"]}/resend", null)).EnsureSuccessStatusCode();

        var sent = (await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=sent")).Single();
        Assert.Equal((string?)failed["id"], (string?)sent["id"]);
        Assert.Equal(5, (int?)sent["attempts"]);
        Assert.Null(sent["lastError"]);
        await DeleteAsync(webhook);

        // The endpoint is deleted, so the message cannot wait for anything.
        (await _app.Http.PostAsync($"/api/notifications/{failed["id"]}/resend", null)).EnsureSuccessStatusCode();
        var gone = (await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=failed")).Single();
        Assert.Equal("The webhook has been deleted.", (string?)gone["lastError"]);
    }

    [Fact]
    public async Task Does_not_follow_a_redirect()
    {
        var (path, elsewhere) = (NewPath(), NewPath());
        _server.Answers[path] = http =>
        {
            http.Response.Redirect(elsewhere, permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        };
        var webhook = await CreateAsync(path);
        var order = Events.Created(running.Customers.Add());

        await _app.PublishAsync(order);

        await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=failed");
        Assert.Equal(307, (int?)(await DeliveriesAsync(webhook))[0]["statusCode"]);
        Assert.Empty(_server.RequestsTo(elsewhere));
        await DeleteAsync(webhook);
    }

    [Fact]
    public async Task A_long_answer_is_not_read()
    {
        // A plain socket: a web server goes on accepting what its handler writes long after the client has closed.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerAtLengthAsync(listener);
        var webhook = await _app.Http.CreateAsync(Webhooks, $$"""{"url":"http://{{listener.LocalEndpoint}}/","active":true}""");
        var order = Events.Created(running.Customers.Add());

        await _app.PublishAsync(order);

        await _app.ListAsync($"orderId={order.OrderId}&channel=webhook&status=sent");
        Assert.InRange(await answering, 0, 32 * 1024 * 1024);
        await DeleteAsync(webhook);
    }

    /// <summary>Answers 200 with 256 MiB, and returns how much of it was sent before the client closed.</summary>
    private static async Task<long> AnswerAtLengthAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync();
        await socket.ReceiveAsync(new byte[4096]);
        await socket.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        byte[] chunk = [.. "10000\r\n"u8, .. new byte[0x10000], .. "\r\n"u8];
        var sent = 0L;
        try
        {
            for (var i = 0; i < 4096; i++)
            {
                sent += await socket.SendAsync(chunk);
            }
        }
        catch (SocketException)
        {
            // The client has closed the connection.
        }

        return sent;
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_for_a_day()
    {
        var path = NewPath();
        var webhook = await CreateAsync(path);

        var rotated = await _app.Http.SendAsync(HttpMethod.Post, $"{Webhooks}/{webhook["id"]}/rotate-secret");

        Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        var answer = await rotated.ReadAsync();
        var fresh = (string)answer["secret"]!;
        Assert.Equal(2, (int?)answer["version"]);
        Assert.InRange((DateTimeOffset)answer["previousSecretUntil"]! - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(23.9), TimeSpan.FromHours(24));
        await PublishAndWaitAsync(path, 1);
        var both = _server.RequestsTo(path).Single();
        Assert.Equal(2, both.Signatures.Length);
        Assert.Equal(0, both.SignedBy(fresh));
        Assert.Equal(1, both.SignedBy(Secret));

        await _app.QueryAsync<object>("UPDATE webhooks SET previous_secret_until = now() - interval '1 second' WHERE id = $1", Id(webhook));
        await PublishAndWaitAsync(path, 2);
        var one = _server.RequestsTo(path)[1];
        Assert.Equal(0, one.SignedBy(fresh));
        Assert.Single(one.Signatures);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await _app.Http.SendAsync(HttpMethod.Post, $"{Webhooks}/{webhook["id"]}/rotate-secret", ifMatch: "\"1\"")).StatusCode);
        await DeleteAsync(webhook);
    }

    [Fact]
    public async Task Changes_need_the_current_version()
    {
        var path = NewPath();
        var webhook = await CreateAsync(path);
        var at = $"{Webhooks}/{webhook["id"]}";
        const string Patch = "application/merge-patch+json";

        Assert.Equal(428, (int)(await _app.Http.SendAsync(HttpMethod.Patch, at, """{"active":false}""", type: Patch)).StatusCode);
        var stale = await _app.Http.SendAsync(HttpMethod.Patch, at, """{"active":false}""", "\"7\"", type: Patch);
        Assert.Equal(412, (int)stale.StatusCode);
        Assert.Equal(1, (int?)(await stale.ReadAsync())["version"]);
        Assert.Equal(400, (int)(await _app.Http.SendAsync(HttpMethod.Patch, at, """{"secret":"x"}""", "\"1\"", type: Patch)).StatusCode);
        Assert.Equal(400, (int)(await _app.Http.SendAsync(HttpMethod.Patch, at, """{"url":null}""", "\"1\"", type: Patch)).StatusCode);

        var paused = await _app.Http.SendAsync(HttpMethod.Patch, at, """{"active":false}""", "\"1\"", type: Patch);
        Assert.Equal("\"2\"", paused.Headers.ETag?.Tag);
        var quiet = Events.Created(running.Customers.Add());
        await _app.PublishAsync(quiet);
        await _app.ListAsync($"orderId={quiet.OrderId}&status=sent");
        Assert.Empty(await _app.ListNowAsync($"orderId={quiet.OrderId}&channel=webhook"));

        (await _app.Http.SendAsync(HttpMethod.Patch, at, """{"active":true,"eventTypes":["order.created.v1"]}""", "\"2\"", type: Patch)).EnsureSuccessStatusCode();
        await PublishAndWaitAsync(path, 1);
        Assert.Equal(304, (int)(await SendIfNoneMatchAsync(at, "\"3\"")).StatusCode);
        Assert.Equal(428, (int)(await _app.Http.SendAsync(HttpMethod.Delete, at)).StatusCode);
        Assert.Equal(204, (int)(await _app.Http.SendAsync(HttpMethod.Delete, at, ifMatch: "\"3\"")).StatusCode);
        Assert.Equal(404, (int)(await _app.Http.GetAsync(at)).StatusCode);
        Assert.Equal(404, (int)(await _app.Http.GetAsync($"{at}/deliveries")).StatusCode);
    }

    [Fact]
    public async Task A_customers_own_webhook_gets_their_events_while_enabled_and_ends_with_an_erasure()
    {
        var path = NewPath();
        var (customer, other) = (running.Customers.Add(), running.Customers.Add());
        var webhook = await _app.Http.CreateAsync(
            Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","secret":"{{Secret}}","customerId":"{{customer}}","eventTypes":["order.created.v1"]}""");
        var unasked = Events.Created(customer);
        await _app.PublishAsync(unasked);
        await _app.ListAsync($"orderId={unasked.OrderId}&status=sent");
        Assert.Empty(await _app.ListNowAsync($"customerId={customer}&channel=webhook"));

        await KeepAsync(Events.Customer(customer, 2) with { Channels = new(true, false, true) });
        await KeepAsync(Events.Customer(other, 2) with { Channels = new(true, false, true) });
        await _app.PublishAsync(Events.Created(other));
        var wanted = Events.Created(customer);
        await _app.PublishAsync(wanted);
        var sent = (await _app.ListAsync($"customerId={customer}&channel=webhook&status=sent")).Single();
        Assert.Equal(wanted.OrderId.ToString(), (string?)sent["orderId"]);

        // Recorded while the customer wanted it, but no longer wanted when it is to be sent.
        await _app.QueryAsync<object>("UPDATE webhooks SET active = false WHERE id = $1", Id(webhook));
        (await _app.Http.PostAsync($"/api/notifications/{sent["id"]}/resend", null)).EnsureSuccessStatusCode();
        await KeepAsync(Events.Customer(customer, 3));
        await _app.QueryAsync<object>("UPDATE webhooks SET active = true WHERE id = $1", Id(webhook));
        var failed = (await _app.ListAsync($"customerId={customer}&channel=webhook&status=failed")).Single();
        Assert.Contains("does not want", (string?)failed["lastError"], StringComparison.Ordinal);
        Assert.Single(_server.RequestsTo(path));

        await KeepAsync(Events.Customer(customer, 4, status: CustomerStatus.Erased));
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.GetAsync($"{Webhooks}/{webhook["id"]}")).StatusCode);
    }

    private static string NewPath() => $"/{Guid.CreateVersion7():N}";

    private static Guid Id(JsonNode item) => Guid.Parse((string)item["id"]!);

    private Task<JsonNode> CreateAsync(string path, string? types = null) => _app.Http.CreateAsync(
        Webhooks, $$"""{"url":"{{_server.Address}}{{path}}","secret":"{{Secret}}","eventTypes":{{(types is null ? "null" : $"[{types}]")}},"active":true}""");

    private async Task DeleteAsync(JsonNode webhook)
    {
        var current = await _app.Http.GetAsync($"{Webhooks}/{webhook["id"]}");
        (await _app.Http.SendAsync(HttpMethod.Delete, $"{Webhooks}/{webhook["id"]}", ifMatch: current.Headers.ETag!.Tag)).EnsureSuccessStatusCode();
    }

    private async Task<List<JsonNode>> DeliveriesAsync(JsonNode webhook) =>
        [.. (await (await _app.Http.GetAsync($"{Webhooks}/{webhook["id"]}/deliveries?limit=100")).ReadAsync())["items"]!.AsArray().Select(i => i!)];

    private async Task PublishAndWaitAsync(string path, int requests)
    {
        await _app.PublishAsync(Events.Created(running.Customers.Add()));
        await Wait.UntilAsync(() => _server.RequestsTo(path).Count == requests);
    }

    private async Task KeepAsync(CustomerUpdated customer)
    {
        await _app.PublishAsync(customer);
        await Wait.UntilAsync(
            async () => await _app.QueryAsync<long>("SELECT version FROM recipients WHERE customer_id = $1", customer.CustomerId), version => version == customer.Version);
    }

    private async Task<HttpResponseMessage> SendIfNoneMatchAsync(string path, string etag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        return await _app.Http.SendAsync(request);
    }
}
