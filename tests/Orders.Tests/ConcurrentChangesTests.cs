using System.Net;
using System.Net.Http.Json;
using Npgsql;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>One order, changed by several callers at the same moment.</summary>
[Collection(OrdersCollection.Name)]
public sealed class ConcurrentChangesTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private static async Task<(HttpStatusCode Status, string? Problem)> AnswerAsync(Task<HttpResponseMessage> asking)
    {
        using var response = await asking;
        return (response.StatusCode, response.IsSuccessStatusCode ? null : (string?)(await OrdersApp.BodyAsync(response))["type"]);
    }

    /// <summary>History and events contain each version once, and both end with the order's version.</summary>
    private async Task AssertOneEventPerVersionAsync(Guid id, int version)
    {
        Assert.Equal(version, (int)(await _app.OrderAsync(id))["version"]!);
        Assert.Equal(
            Enumerable.Range(1, version).Select(v => (long)v),
            await _app.QueryAsync<long[]>("SELECT array_agg(version ORDER BY version) FROM order_history WHERE order_id = $1 AND service = 'orders'", id));
        var updated = await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count >= version - 1);
        Assert.Equal(Enumerable.Range(2, version - 1), updated.Select(r => r.Json.GetProperty("version").GetInt32()));
    }

    // Several orders with several callers each, so that some callers would collide without the lock.
    [Fact]
    public async Task Of_a_concurrent_cancel_and_shipment_exactly_one_wins()
    {
        var orders = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => _app.ConfirmedAsync()));
        await Task.WhenAll(orders.Select(async order =>
        {
            var path = $"/api/orders/{order.Id}";
            var asked = Enumerable.Range(0, 6).Select(i => (
                IsCancel: i % 2 == 0,
                Answer: AnswerAsync(i % 2 == 0 ? _http.PostAsync($"{path}/cancel", null) : _http.PostAsJsonAsync($"{path}/ship", new { carrier = "DHL" })))).ToList();
            await Task.WhenAll(asked.Select(a => a.Answer));
            var cancelled = (string?)(await _app.OrderAsync(order.Id))["status"] == "cancelPending";
            foreach (var (isCancel, answer) in asked)
            {
                Assert.Equal(
                    isCancel != cancelled ? (HttpStatusCode.Conflict, (string?)"/problems/illegal-transition")
                    : isCancel ? (HttpStatusCode.Accepted, null)
                    : (HttpStatusCode.OK, null),
                    await answer);
            }
        }));
        foreach (var (id, _) in orders)
        {
            await AssertOneEventPerVersionAsync(id, 3);
        }
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 1)]
    public async Task Concurrent_returns_never_exceed_what_was_shipped(int each, int accepted)
    {
        var orders = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _app.ShippedAsync()));
        await Task.WhenAll(orders.Select(async order =>
        {
            var body = new { lines = new[] { new { productId = order.Product, quantity = each } } };
            var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => AnswerAsync(_http.PostAsJsonAsync($"/api/orders/{order.Id}/returns", body))));
            Assert.Equal(accepted, answers.Count(a => a == (HttpStatusCode.Created, null)));
            Assert.Equal(6 - accepted, answers.Count(a => a == (HttpStatusCode.Conflict, "/problems/return-exceeds-shipped")));
            Assert.Equal(accepted, (await _app.OrderAsync(order.Id))["returns"]!.AsArray().Count);
        }));
        foreach (var (id, _) in orders)
        {
            await AssertOneEventPerVersionAsync(id, 3 + accepted);
        }
    }

    // The lock prevents this; the version check still protects the order when a write bypasses the lock.
    [Fact]
    public async Task An_order_that_has_changed_since_the_decision_is_not_written()
    {
        var (id, _) = await _app.ConfirmedAsync();
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var orders = await OrderBatch.LoadAsync(connection, [id], TimeProvider.System, CancellationToken.None);
        Assert.Equal(Change.Made, orders.Change(orders.Find(id)!, order => order.Ship("DHL", null, orders.Now), new Actor(By.Caller)));
        await using (var past = new NpgsqlCommand("UPDATE orders SET version = version + 1 WHERE id = $1", connection) { Parameters = { new() { Value = id } } })
        {
            await past.ExecuteNonQueryAsync();
        }

        await using var writes = new NpgsqlBatch(connection, transaction);
        orders.Save(writes);
        writes.AddOutbox(orders.Events);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => writes.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.SerializationFailure, refused.SqlState);
    }

    [Fact]
    public async Task A_change_that_the_database_refuses_for_its_version_is_decided_again()
    {
        var (id, _) = await _app.ConfirmedAsync();
        // As if a write had bypassed the lock: the first write finds another version than the one that was decided on.
        await _app.ExecuteAsync(
            """
            CREATE FUNCTION overtaken() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('overtaken_times') = 1 THEN RETURN NULL; END IF;
                RETURN NEW;
            END $$;
            CREATE SEQUENCE overtaken_times;
            CREATE TRIGGER overtaken BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION overtaken();
            """);
        var shipped = await _http.PostAsJsonAsync($"/api/orders/{id}/ship", new { carrier = "DHL" });
        Assert.Equal(HttpStatusCode.OK, shipped.StatusCode);
        Assert.Equal(2L, await _app.QueryAsync<long>("SELECT last_value FROM overtaken_times"));
        await AssertOneEventPerVersionAsync(id, 3);
    }
}
