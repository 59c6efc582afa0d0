using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.Orders.Features;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class SweepWaitingOrdersTests(InfrastructureFixture infrastructure)
{
    private Task<OrdersApp> StartAsync(string pendingTimeout) => OrdersApp.StartAsync(
        infrastructure, ("Orders:SweepInterval", "00:00:00.2"), ("Orders:AskAfter", "00:00:00.5"), ("Orders:PendingTimeout", pendingTimeout));

    private static async Task<Guid> PlacedAsync(OrdersApp app) => (Guid)(await OrdersApp.BodyAsync(
        await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (app.Neighbours.AddProduct(), 3)))))["id"]!;

    [Fact]
    public async Task An_outcome_whose_event_was_lost_is_requested()
    {
        await using var app = await StartAsync("00:15:00");
        var id = await PlacedAsync(app);
        app.Neighbours.Reservations[id] = (1, "reserved");
        await app.WaitForAsync(id, "confirmed");
        Assert.Equal(2, (int)(await app.OrderAsync(id))["version"]!);

        // The answer's event, late: a second answer for a version that no longer waits.
        await app.AnswerAsync(id, 1, "rejected");
        using var http = app.CreateClient();
        await http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { });
        app.Neighbours.Reservations[id] = (3, "released");
        await app.WaitForAsync(id, "cancelled");
    }

    [Fact]
    public async Task An_event_that_Inventory_never_saw_is_sent_again_with_the_same_id()
    {
        await using var app = await StartAsync("00:15:00");
        var id = await PlacedAsync(app);
        var seen = await app.Kafka.ReadAsync("order.created", id.ToString(), all => all.Count >= 2);
        Assert.Equal(seen[0].Headers["ce_id"], seen[1].Headers["ce_id"]);
        Assert.Equal(seen[0].Value, seen[1].Value);
        await app.AnswerAsync(id, 1, "reserved");
        await app.WaitForAsync(id, "confirmed");

        using var http = app.CreateClient();
        await http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "late" });
        var updated = await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Count(r => r.Json.GetProperty("version").GetInt32() == 3) >= 2);
        var cancels = updated.Where(r => r.Json.GetProperty("version").GetInt32() == 3).ToList();
        Assert.Equal(cancels[0].Headers["ce_id"], cancels[1].Headers["ce_id"]);
        Assert.Equal(cancels[0].Value, cancels[1].Value);
    }

    [Fact]
    public async Task A_pending_order_without_an_answer_expires_even_when_Inventory_is_down_and_a_late_outcome_changes_nothing()
    {
        await using var app = await StartAsync("00:00:01");
        app.Neighbours.InventoryIsDown = true;
        var id = await PlacedAsync(app);
        await app.WaitForAsync(id, "expired");
        Assert.Contains(("orders", "order expired", "sweep"), await TimelineAsync(app, id));
        await app.AnswerAsync(id, 1, "reserved");
        var updated = await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Count == 1);
        Assert.Equal(("expired", "pending"), (updated[0].Json.GetProperty("status").GetString(), updated[0].Json.GetProperty("previousStatus").GetString()));
        // The late answer is in the history as a fact, but has changed nothing.
        await Eventually.TrueAsync(
            async () => await app.QueryAsync<long>("SELECT count(*) FROM order_history WHERE order_id = $1 AND service = 'inventory'", id) == 1,
            TimeSpan.FromSeconds(30), "the late answer was handled");
        Assert.Equal("expired", (string?)(await app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task An_outcome_that_Inventory_holds_wins_over_the_timeout()
    {
        await using var app = await StartAsync("00:00:01");
        app.Neighbours.InventoryIsDown = false;
        var product = app.Neighbours.AddProduct();
        var id = (Guid)(await OrdersApp.BodyAsync(await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 3)))))["id"]!;
        app.Neighbours.Reservations[id] = (1, "reserved");
        await app.WaitForAsync(id, "confirmed");
    }

    [Fact]
    public async Task A_cancel_never_times_out()
    {
        await using var app = await StartAsync("00:00:01");
        var (id, _) = await app.ConfirmedAsync();
        using var http = app.CreateClient();
        await http.PostAsJsonAsync($"/api/orders/{id}/cancel", new { });
        // The event was sent again, so the sweep has handled the order after the timeout.
        await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Count(r => r.Json.GetProperty("version").GetInt32() == 3) >= 4);
        Assert.Equal("cancelPending", (string?)(await app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task An_unreadable_answer_does_not_delay_other_orders_and_is_requested_again()
    {
        await using var app = await StartAsync("00:15:00");
        var unreadable = await PlacedAsync(app);
        app.Neighbours.Reservations[unreadable] = (1, "outcomeOfTomorrow");
        var readable = await PlacedAsync(app);
        app.Neighbours.Reservations[readable] = (1, "reserved");
        await app.WaitForAsync(readable, "confirmed");
        Assert.Equal("pending", (string?)(await app.OrderAsync(unreadable))["status"]);
        app.Neighbours.Reservations[unreadable] = (1, "reserved");
        await app.WaitForAsync(unreadable, "confirmed");
    }

    /// <summary>A service whose own sweep never runs, and a sweep on the test's clock that runs when it is called.</summary>
    private async Task<(OrdersApp App, SweepWaitingOrders Sweep, FakeTimeProvider Time)> StartCalledAsync()
    {
        var app = await OrdersApp.StartAsync(
            infrastructure, ("Orders:SweepInterval", "1.00:00:00"), ("Orders:AskAfter", s_askAfter.ToString()), ("Orders:PendingTimeout", "1.00:00:00"));
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        return (app, ActivatorUtilities.CreateInstance<SweepWaitingOrders>(app.Services, time), time);
    }

    private static readonly TimeSpan s_askAfter = TimeSpan.FromMinutes(1);

    /// <summary>Makes the orders look as if they had waited for ten minutes.</summary>
    private static Task AgeAsync(OrdersApp app) => app.ExecuteAsync("UPDATE orders SET waiting_since = now() - interval '10 minutes'");

    private static async Task<List<(string? Service, string? What, string? By)>> TimelineAsync(OrdersApp app, Guid id)
    {
        using var http = app.CreateClient();
        return [.. (await http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}/timeline"))!["items"]!.AsArray()
            .Select(i => ((string?)i!["service"], (string?)i["what"], (string?)i["data"]!["by"]))];
    }

    [Fact]
    public async Task The_lost_answer_to_a_revision_is_requested_and_is_in_the_timeline_once()
    {
        var (app, sweep, _) = await StartCalledAsync();
        await using var ends = app;
        var (id, product) = await app.ConfirmedAsync();
        using var http = app.CreateClient();
        using var revise = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{id}/lines")
        {
            Content = JsonContent.Create(new { lines = new[] { new { productId = product, quantity = 5 } } }),
        };
        revise.Headers.TryAddWithoutValidation("If-Match", "\"2\"");
        (await http.SendAsync(revise)).EnsureSuccessStatusCode();
        app.Neighbours.Reservations[id] = (3, "revised");
        await sweep.SweepAsync(CancellationToken.None);
        Assert.Equal("revisionPending", (string?)(await app.OrderAsync(id))["status"]);

        await AgeAsync(app);
        await sweep.SweepAsync(CancellationToken.None);
        var order = await app.OrderAsync(id);
        Assert.Equal(("confirmed", 4, 5, "applied"), ((string?)order["status"], (int)order["version"]!, (int)order["lines"]![0]!["quantity"]!, (string?)order["revision"]!["status"]));
        var timeline = await TimelineAsync(app, id);
        Assert.Contains(("orders", "revision applied", "sweep"), timeline);
        Assert.Single(timeline, ("inventory", "reservation revised", "sweep"));

        // The answer's event arrives after all: the same answer, now with the event's id.
        await app.AnswerAsync(id, 3, "revised");
        await Eventually.TrueAsync(
            async () => (await TimelineAsync(app, id)).Contains(("inventory", "reservation revised", null)), TimeSpan.FromSeconds(30), "the late answer was handled");
        Assert.Single(await TimelineAsync(app, id), i => i.What == "reservation revised");
    }

    [Fact]
    public async Task An_event_is_sent_again_after_doubling_intervals_and_not_at_each_sweep()
    {
        var (app, sweep, time) = await StartCalledAsync();
        await using var ends = app;
        var (id, _) = await app.ConfirmedAsync();
        using var http = app.CreateClient();
        (await http.PostAsync($"/api/orders/{id}/cancel", null)).EnsureSuccessStatusCode();
        await AgeAsync(app);

        async Task SweepAsync()
        {
            // An event that is still in the outbox is not written again.
            await Eventually.TrueAsync(
                async () => await app.QueryAsync<long>("SELECT count(*) FROM outbox_messages WHERE key = $1", id.ToString()) == 0,
                TimeSpan.FromSeconds(30), "the outbox is empty");
            await sweep.SweepAsync(CancellationToken.None);
        }

        await SweepAsync();
        await SweepAsync();
        await SweepAsync();
        foreach (var _ in Enumerable.Range(0, 3))
        {
            time.Advance(s_askAfter);
            await SweepAsync();
        }

        // The order's next event comes after all copies of this one.
        await app.AnswerAsync(id, 3, "released");
        var updated = await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Any(r => r.Json.GetProperty("version").GetInt32() == 4));
        // Once by the cancel, at the first sweep, after one interval, and after two more intervals.
        Assert.Equal([2, 3, 3, 3, 3, 4], updated.Select(r => r.Json.GetProperty("version").GetInt32()));
    }

    [Fact]
    public async Task While_Inventory_is_down_a_sweep_does_not_query_it_for_each_order_and_the_next_sweep_tries_again()
    {
        var (app, sweep, _) = await StartCalledAsync();
        await using var ends = app;
        var placed = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            placed.Add(await PlacedAsync(app));
            app.Neighbours.Reservations[placed[i]] = (1, "reserved");
        }

        await AgeAsync(app);
        app.Neighbours.InventoryIsDown = true;
        await sweep.SweepAsync(CancellationToken.None);
        // For one order only, with the client's one retry.
        Assert.Equal(2, app.Neighbours.ReservationRequests);

        app.Neighbours.InventoryIsDown = false;
        await sweep.SweepAsync(CancellationToken.None);
        foreach (var id in placed)
        {
            Assert.Equal("confirmed", (string?)(await app.OrderAsync(id))["status"]);
            Assert.Contains(("inventory", "stock reserved", "sweep"), await TimelineAsync(app, id));
        }
    }

    [Fact]
    public async Task A_pending_order_whose_answer_cannot_be_read_expires()
    {
        await using var app = await StartAsync("00:00:01");
        var id = await PlacedAsync(app);
        app.Neighbours.Reservations[id] = (1, "outcomeOfTomorrow");
        await app.WaitForAsync(id, "expired");
    }
}
