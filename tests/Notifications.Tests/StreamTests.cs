using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.LiveChanges;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

[Collection(nameof(InfrastructureCollection))]
public sealed class StreamTests(InfrastructureFixture infrastructure, RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private readonly NotificationsApp _app = running.App;

    [Fact]
    public async Task Orders_stock_and_notifications_come_as_they_change()
    {
        await using var stream = await ListenAsync("");
        var stock = Events.Stock(null);
        await _app.PublishAsync(stock);
        Assert.Equal(8, (int)(await stream.NextAsync(e => e.Name == "inventory.updated" && e.Data["productId"]!.ToString() == stock.ProductId.ToString())).Data["available"]!);
        var order = Events.Created(running.Customers.Add());
        await _app.PublishAsync(order);

        var created = await stream.NextAsync(e => e.Name == "order.created" && e.Data["orderId"]!.ToString() == order.OrderId.ToString());
        Assert.Equal((3, 54.00m), ((int)created.Data["lines"]![0]!["quantity"]!, (decimal)created.Data["total"]!["amount"]!));
        var sent = await stream.NextAsync(e => e.Name == "notification.updated" && e.Data["orderId"]?.ToString() == order.OrderId.ToString() && (string?)e.Data["status"] == "sent");
        Assert.Equal(("orderReceived", false, false), ((string?)sent.Data["template"], sent.Data.AsObject().ContainsKey("recipient"), sent.Data.AsObject().ContainsKey("lastError")));
    }

    [Fact]
    public async Task Filters_pass_only_what_was_requested()
    {
        var (mine, other) = (Events.Created(running.Customers.Add()), Events.Created(running.Customers.Add()));
        await using var byCustomer = await ListenAsync($"types=order&customerId={mine.CustomerId}");
        await using var byId = await ListenAsync($"ids={mine.OrderId},{Guid.CreateVersion7()}");
        await using var stock = await ListenAsync("types=stock");
        await _app.PublishAsync(other);
        await _app.PublishAsync(mine);
        var level = Events.Stock(null);
        await _app.PublishAsync(level);
        await _app.PublishAsync(Events.Updated(mine.CustomerId, OrderStatus.Confirmed, order: mine.OrderId));

        Assert.Equal(["order.created", "order.updated"], new[] { await byCustomer.NextAsync(), await byCustomer.NextAsync() }.Select(e => e.Name).Order());
        var seen = new List<ServerSentEvent>();
        while (!seen.Exists(e => e.Name == "order.created") || !seen.Exists(e => e.Name == "order.updated") || !seen.Exists(e => e.Name == "notification.updated"))
        {
            seen.Add(await byId.NextAsync());
        }

        Assert.All(seen, e => Assert.Equal(mine.OrderId.ToString(), e.Data["orderId"]!.ToString()));
        var first = await stock.NextAsync();
        Assert.Equal(("inventory.updated", level.ProductId.ToString()), (first.Name, first.Data["productId"]!.ToString()));
    }

    [Fact]
    public async Task A_reconnecting_client_gets_missed_changes_or_a_reset()
    {
        var customer = running.Customers.Add();
        var query = $"types=order&customerId={customer}";
        string last;
        await using (var stream = await ListenAsync(query))
        {
            await _app.PublishAsync(Events.Created(customer));
            last = (await stream.NextAsync()).Id;
        }

        var missed = Events.Created(customer);
        await _app.PublishAsync(missed);
        await using var back = await ListenAsync(query, last);
        Assert.True((bool)back.Open.Data["resumed"]!);
        Assert.Equal(missed.OrderId.ToString(), (await back.NextAsync()).Data["orderId"]!.ToString());

        foreach (var unknown in new[] { "x", "a-b", Guid.CreateVersion7().ToString("N") + "-7", last[..33] + "999999", last[..33] + "-1" })
        {
            await using var stream = await ListenAsync(query, unknown, "reset");
            Assert.Equal(("reset", "open"), (stream.Open.Name, (await stream.NextAsync()).Name));
        }
    }

    // Fails when a customer's stream has anything of another customer's, or more of the stock than what is available.
    [Fact]
    public async Task A_customer_gets_only_own_orders_own_messages_and_availability()
    {
        var (own, other) = (running.Customers.Add(), running.Customers.Add());
        var (mine, theirs) = (Events.Created(own), Events.Created(other));
        await using var staff = await ListenAsync("");
        await using var all = await ListenAsync("", customer: own);
        await using var named = await ListenAsync($"customerId={own}&types=order,notification", customer: own);
        await using var foreign = await ListenAsync($"ids={theirs.OrderId},{mine.OrderId}", customer: own);
        await _app.PublishAsync(theirs);
        await _app.PublishAsync(Events.Updated(other, OrderStatus.Confirmed, order: theirs.OrderId));
        var begin = (await staff.NextAsync(e => IsOf(e, theirs.OrderId) && e.Name == "order.created")).Id;
        await staff.NextAsync(e => IsOf(e, theirs.OrderId) && e.Name == "notification.updated" && (string?)e.Data["status"] == "sent");
        var stock = Events.Stock(null);
        await _app.PublishAsync(stock);
        await staff.NextAsync(e => e.Data["productId"]?.ToString() == stock.ProductId.ToString());
        await _app.PublishAsync(mine);

        // Also with a client that resumes at a number given to staff.
        await using var resumed = await ListenAsync("", begin, customer: own);
        foreach (var stream in new[] { all, named, foreign, resumed })
        {
            var seen = new List<ServerSentEvent>();
            while (!seen.Exists(e => e.Name == "order.created") || !seen.Exists(e => (string?)e.Data["status"] == "sent"))
            {
                seen.Add(await stream.NextAsync());
            }

            Assert.All(seen.Where(e => e.Name != "inventory.updated"), e => Assert.True(IsOf(e, mine.OrderId) && (e.Data["customerId"] is not { } customer || (Guid)customer == own), e.Data.ToJsonString()));
            Assert.DoesNotContain(other.ToString(), string.Join('\n', seen.Select(e => e.Data.ToJsonString())), StringComparison.Ordinal);
            Assert.All(seen.Where(e => e.Name == "inventory.updated"), e => Assert.Equal(["productId", "available"], e.Data.AsObject().Select(member => member.Key)));
            Assert.Equal(stream == all || stream == resumed, seen.Exists(e => e.Name == "inventory.updated" && e.Data["productId"]!.ToString() == stock.ProductId.ToString()));
        }

        foreach (var id in new[] { other, Guid.CreateVersion7() })
        {
            using var refused = await SendAsync($"customerId={id}", null, own);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }

        static bool IsOf(ServerSentEvent e, Guid order) => e.Data["orderId"]?.ToString() == order.ToString();
    }

    // Fails when only streams without any event get a heartbeat: on a busy system, a proxy ends the stream of a customer who orders once a day.
    [Fact]
    public async Task A_stream_without_own_events_gets_heartbeats_with_the_current_position()
    {
        var own = running.Customers.Add();
        await using var staff = await ListenAsync("types=order");
        await using var stream = await ListenAsync("types=order", customer: own);
        using var busy = new CancellationTokenSource();
        var others = KeepBusyAsync();

        // Changes for others advance the position too, so that a client that comes back does not resume at one that is no longer kept.
        var sign = await stream.HeartbeatAsync();
        await busy.CancelAsync();
        await others;
        Assert.NotEqual(stream.Open.Id, sign);
        await using var back = await ListenAsync("types=order", sign, customer: own);
        Assert.True((bool)back.Open.Data["resumed"]!);

        async Task KeepBusyAsync()
        {
            while (!busy.IsCancellationRequested)
            {
                var order = Events.Created(running.Customers.Add());
                await _app.PublishAsync(order);
                await staff.NextAsync(e => e.Data["orderId"]!.ToString() == order.OrderId.ToString());
            }
        }
    }

    [Fact]
    public async Task Open_streams_take_no_place_of_running_requests()
    {
        await using var app = await NotificationsApp.StartAsync(
            infrastructure, $"file://{running.Pickup.FullName}", running.Customers, new() { ["Admission:Concurrent"] = "1", ["Admission:Queued"] = "0" });
        await using var stream = await ListenAsync("", app: app);

        Assert.Equal(HttpStatusCode.OK, (await app.Http.GetAsync("/api/notifications")).StatusCode);
    }

    [Theory]
    [InlineData("types=orders")]
    [InlineData("types=")]
    [InlineData("ids=x")]
    [InlineData("type=order")]
    public async Task A_query_that_cannot_be_read_is_400(string query) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await _app.Http.GetAsync($"/api/stream?{query}")).StatusCode);

    // Fails when memory grows with the number of changes, or a reader that is left behind is not notified.
    [Fact]
    public void A_reader_that_falls_behind_keeps_no_memory_and_gets_a_reset()
    {
        var buffer = new ChangeBuffer();
        var start = buffer.Last;
        for (var i = 0; i < ChangeBuffer.MaxChanges; i++)
        {
            buffer.Add(Of(1));
        }

        Assert.True(buffer.TryRead(start.Series, start.Number, 10, out var first, out _));
        Assert.Equal(10, first.Count);
        buffer.Add(Of(1));
        Assert.False(buffer.TryRead(start.Series, start.Number, 10, out _, out _));
        Assert.True(buffer.TryRead(start.Series, start.Number + 1, 10, out _, out _));

        // A few large changes push out all of the small ones.
        for (var i = 0; i < 17; i++)
        {
            buffer.Add(Of(1024 * 1024));
        }

        var last = buffer.Last;
        Assert.False(buffer.TryRead(last.Series, last.Number - 17, 10, out _, out _));
        Assert.True(buffer.TryRead(last.Series, last.Number - 10, 100, out var large, out _));
        Assert.Equal(10, large.Count);

        buffer.Restart();
        Assert.False(buffer.TryRead(last.Series, last.Number, 10, out _, out _));
        Assert.False(buffer.TryRead(buffer.Last.Series, buffer.Last.Number + 1, 10, out _, out _));

        static Change Of(int bytes) => new(ChangeKind.Order, "order.created", Guid.CreateVersion7(), null, null, new byte[bytes]);
    }

    private async Task<HttpResponseMessage> SendAsync(string query, string? lastEventId, Guid? customer, NotificationsApp? app = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/stream?{query}".TrimEnd('?'));
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        if (customer is { } id)
        {
            request.Headers.Authorization = new("Bearer", TestAuthority.Shared.CustomerToken(id));
        }

        return await (app ?? _app).Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private async Task<Listener> ListenAsync(string query, string? lastEventId = null, string first = "open", Guid? customer = null, NotificationsApp? app = null)
    {
        var response = await SendAsync(query, lastEventId, customer, app);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        var listener = new Listener(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        listener.Open = await listener.NextAsync();
        Assert.Equal(first, listener.Open.Name);
        return listener;
    }

    private sealed record ServerSentEvent(string Id, string Name, JsonNode Data);

    private sealed class Listener(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _timeout = new(TimeSpan.FromSeconds(60));

        public ServerSentEvent Open { get; set; } = null!;

        /// <summary>The next event that fits; others are skipped.</summary>
        public async Task<ServerSentEvent> NextAsync(Func<ServerSentEvent, bool>? fits = null)
        {
            var fields = new Dictionary<string, string>();
            while (await reader.ReadLineAsync(_timeout.Token) is { } line)
            {
                if (line.Length > 0)
                {
                    var colon = line.IndexOf(':', StringComparison.Ordinal);
                    fields[line[..colon]] = line[(colon + 1)..].TrimStart();
                }
                else if (fields.TryGetValue("event", out var name))
                {
                    var next = new ServerSentEvent(fields["id"], name, JsonNode.Parse(fields["data"])!);
                    fields.Clear();
                    if (fits is null || fits(next))
                    {
                        return next;
                    }
                }
            }

            throw new EndOfStreamException("The stream has ended.");
        }

        /// <summary>The id in the next heartbeat.</summary>
        public async Task<string> HeartbeatAsync()
        {
            while (await reader.ReadLineAsync(_timeout.Token) is { } line)
            {
                if (line.StartsWith(':'))
                {
                    return (await reader.ReadLineAsync(_timeout.Token))!["id: ".Length..];
                }
            }

            throw new EndOfStreamException("The stream has ended.");
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            response.Dispose();
            _timeout.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
