using System.Net.Http.Json;
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
    public async Task An_outcome_whose_event_was_lost_is_asked_for()
    {
        await using var app = await StartAsync("00:15:00");
        var id = await PlacedAsync(app);
        app.Neighbours.Reservations[id] = (1, "reserved");
        await app.WaitForAsync(id, "confirmed");
        Assert.Equal(2, (int)(await app.OrderAsync(id))["version"]!);

        // Its event, late: a second answer to a version that no longer waits.
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
    public async Task A_pending_order_without_an_answer_expires_also_when_Inventory_is_down_and_a_late_outcome_changes_nothing()
    {
        await using var app = await StartAsync("00:00:01");
        app.Neighbours.InventoryIsDown = true;
        var id = await PlacedAsync(app);
        await app.WaitForAsync(id, "expired");
        await app.AnswerAsync(id, 1, "reserved");
        var updated = await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Count == 1);
        Assert.Equal(("expired", "pending"), (updated[0].Json.GetProperty("status").GetString(), updated[0].Json.GetProperty("previousStatus").GetString()));
        // The late answer is in the history as a fact, and has changed nothing.
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
        // Sent again means that the sweep has looked at it, after the timeout was over.
        await app.Kafka.ReadAsync("order.updated", id.ToString(), all => all.Count(r => r.Json.GetProperty("version").GetInt32() == 3) >= 4);
        Assert.Equal("cancelPending", (string?)(await app.OrderAsync(id))["status"]);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_keeps_no_other_order_waiting_and_is_asked_for_again()
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

    [Fact]
    public async Task A_pending_order_whose_answer_cannot_be_read_expires()
    {
        await using var app = await StartAsync("00:00:01");
        var id = await PlacedAsync(app);
        app.Neighbours.Reservations[id] = (1, "outcomeOfTomorrow");
        await app.WaitForAsync(id, "expired");
    }
}
