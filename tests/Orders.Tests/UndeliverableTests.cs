using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrderInventory.Orders.Features;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>Events that are too large for the broker, or that it refuses permanently for another reason.</summary>
[Collection(OrdersCollection.Name)]
public sealed class UndeliverableTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _app = await OrdersApp.StartAsync(infrastructure, ("Orders:SweepInterval", "1.00:00:00"), ("Orders:AskAfter", "00:00:00.001"));
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private Task SweepAsync() => _app.Services.GetServices<IHostedService>().OfType<SweepWaitingOrders>().Single().SweepAsync(CancellationToken.None);

    private async Task<HttpResponseMessage> ReviseAsync(Guid id, params (Guid Product, int Quantity)[] lines)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{id}/lines")
        {
            Content = JsonContent.Create(new { lines = lines.Select(l => new { productId = l.Product, quantity = l.Quantity }) }),
        };
        request.Headers.Add("If-Match", $"\"{(await _app.OrderAsync(id))["version"]}\"");
        return await _http.SendAsync(request);
    }

    /// <summary>Writes the dead letter that the relay writes when the broker refuses the event of a waiting order.</summary>
    private Task RefusedAsync(Guid id, int size = 100) => _app.ExecuteAsync(
        """
        INSERT INTO dead_letters (id, topic, key, event_id, event_type, reason, attempts, created_at, headers, payload)
        SELECT gen_random_uuid(), CASE o.version WHEN 1 THEN 'order.created' ELSE 'order.updated' END, o.id::text, h.event_id, 'order.updated.v1',
            'The broker refused it: too large', 1, now(), '{}', convert_to(repeat(' ', $2), 'UTF8')
        FROM orders o JOIN order_history h ON h.order_id = o.id AND h.version = o.version WHERE o.id = $1
        """, id, size);

    private Task PublishedAsync() => Eventually.TrueAsync(
        async () => await _app.QueryAsync<long>("SELECT count(*) FROM outbox_messages") == 0, TimeSpan.FromSeconds(30), "all events are published");

    private Task<long> DeadLettersAsync() => _app.QueryAsync<long>("SELECT count(*) FROM dead_letters");

    [Theory]
    [InlineData("\U0001F375")]
    [InlineData("\u3000x")]
    public async Task Lines_whose_events_could_not_be_sent_are_refused_and_the_order_can_still_be_cancelled(string letters)
    {
        var product = _app.Neighbours.AddProduct(name: "T" + string.Concat(Enumerable.Repeat(letters, 99)));
        _app.Neighbours.Available[product] = 1_000_000;
        (Guid, int)[] lines = [.. Enumerable.Repeat((product, 1), 500)];
        var placed = await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), lines));
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var id = (Guid)(await OrdersApp.BodyAsync(placed))["id"]!;
        await _app.AnswerAsync(id, 1, "reserved");
        await _app.WaitForAsync(id, "confirmed");

        var revised = await ReviseAsync(id, lines);
        if (letters.Length == 2 && letters[0] != '\u3000')
        {
            Assert.Equal((HttpStatusCode)422, revised.StatusCode);
            var problem = await OrdersApp.BodyAsync(revised);
            Assert.Equal("/problems/order-too-large", (string?)problem["type"]);
            Assert.NotNull(problem["errors"]!["$.lines"]);
            Assert.Equal("confirmed", (string?)(await _app.OrderAsync(id))["status"]);
        }
        else
        {
            Assert.Equal(HttpStatusCode.Accepted, revised.StatusCode);
        }

        (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { })).EnsureSuccessStatusCode();
        await PublishedAsync();
        Assert.Equal(0, await DeadLettersAsync());
    }

    [Fact]
    public async Task An_order_whose_first_event_cannot_be_sent_is_refused()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure, ("Messaging:Producer:MessageMaxBytes", "20000"));
        var product = app.Neighbours.AddProduct(name: new('\u8336', 200));
        var customer = app.Neighbours.AddCustomer();
        Assert.Equal((HttpStatusCode)422, (await app.PlaceAsync(OrdersApp.Body(customer, [.. Enumerable.Repeat((product, 1), 20)]))).StatusCode);
        Assert.Equal(0, await app.QueryAsync<long>("SELECT count(*) FROM orders"));
        Assert.Equal(HttpStatusCode.Created, (await app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))).StatusCode);
    }

    [Fact]
    public async Task A_placement_that_cannot_be_published_is_rejected_and_its_dead_letter_is_removed()
    {
        var placed = await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (_app.Neighbours.AddProduct(), 1))));
        var id = (Guid)placed["id"]!;
        await PublishedAsync();
        await RefusedAsync(id);
        await SweepAsync();
        var order = await _app.OrderAsync(id);
        Assert.Equal(("rejected", "undeliverable"), ((string?)order["status"], (string?)order["rejection"]!["code"]));
        Assert.Equal(0, await DeadLettersAsync());
        await HistoryCheck.TimelineAsync(_http, id);
    }

    [Fact]
    public async Task A_revision_that_cannot_be_published_is_refused_without_its_lines()
    {
        var (id, product) = await _app.ConfirmedAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await ReviseAsync(id, (product, 5))).StatusCode);
        await PublishedAsync();
        await RefusedAsync(id);
        await SweepAsync();
        var order = await _app.OrderAsync(id);
        Assert.Equal(("confirmed", "rejected", "undeliverable"), ((string?)order["status"], (string?)order["revision"]!["status"], (string?)order["revision"]!["rejection"]!["code"]));
        Assert.Empty(order["revision"]!["lines"]!.AsArray());
        Assert.Equal(3, (int)order["lines"]![0]!["quantity"]!);
        Assert.Equal(0, await DeadLettersAsync());
    }

    [Fact]
    public async Task A_cancel_that_cannot_be_published_is_shortened_and_then_waits_with_one_dead_letter()
    {
        var (id, product) = await _app.ConfirmedAsync();
        (await _http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed their mind" })).EnsureSuccessStatusCode();
        await PublishedAsync();
        await RefusedAsync(id, size: 100_000);
        await SweepAsync();
        var events = await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 3);
        Assert.Equal(events[1].Headers["ce_id"], events[2].Headers["ce_id"]);
        Assert.Equal(("cancelPending", "", product.ToString()), (
            events[2].Json.GetProperty("status").GetString(), events[2].Json.GetProperty("lines")[0].GetProperty("name").GetString(),
            events[2].Json.GetProperty("lines")[0].GetProperty("productId").GetString()));

        await PublishedAsync();
        await RefusedAsync(id, size: 10);
        await SweepAsync();
        await SweepAsync();
        Assert.Equal((1L, "cancelPending"), (await DeadLettersAsync(), (string)(await _app.OrderAsync(id))["status"]!));
        Assert.Equal(0, await _app.QueryAsync<long>("SELECT count(*) FROM outbox_messages"));
    }
}
