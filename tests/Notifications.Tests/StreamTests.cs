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
        var order = Events.Created(running.Customers.Add());
        await _app.PublishAsync(order);
        var stock = Events.Stock(null);
        await _app.PublishAsync(stock);

        var created = await stream.NextAsync(e => e.Name == "order.created" && e.Data["orderId"]!.ToString() == order.OrderId.ToString());
        Assert.Equal((3, 54.00m), ((int)created.Data["lines"]![0]!["quantity"]!, (decimal)created.Data["total"]!["amount"]!));
        Assert.Equal(8, (int)(await stream.NextAsync(e => e.Name == "inventory.updated" && e.Data["productId"]!.ToString() == stock.ProductId.ToString())).Data["available"]!);
        var sent = await stream.NextAsync(e => e.Name == "notification.updated" && e.Data["orderId"]?.ToString() == order.OrderId.ToString() && (string?)e.Data["status"] == "sent");
        Assert.Equal(("orderReceived", false, false), ((string?)sent.Data["template"], sent.Data.AsObject().ContainsKey("recipient"), sent.Data.AsObject().ContainsKey("lastError")));
    }

    [Fact]
    public async Task Filters_let_through_what_was_asked_for()
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
    public async Task Whoever_comes_back_gets_what_was_missed_and_is_told_when_it_is_gone()
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

    [Fact]
    public async Task Listeners_take_no_place_of_a_request_that_works()
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

    // Fails when memory grows with the number of changes, or a reader who is left behind is not told.
    [Fact]
    public void A_reader_that_is_left_behind_holds_nothing_and_is_told()
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

        // A few large ones push out all of the small ones.
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

    private async Task<Listener> ListenAsync(string query, string? lastEventId = null, string first = "open", NotificationsApp? app = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/stream?{query}".TrimEnd('?'));
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await (app ?? _app).Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        var listener = new Listener(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        listener.Open = await listener.NextAsync();
        Assert.Equal(first, listener.Open.Name);
        return listener;
    }

    private sealed record ServerSentEvent(string Id, string Name, JsonNode Data);

    private sealed class Listener(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

        public ServerSentEvent Open { get; set; } = null!;

        /// <summary>The next event that fits; others are passed over.</summary>
        public async Task<ServerSentEvent> NextAsync(Func<ServerSentEvent, bool>? fits = null)
        {
            var fields = new Dictionary<string, string>();
            while (await reader.ReadLineAsync(_patience.Token) is { } line)
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

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            response.Dispose();
            _patience.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
