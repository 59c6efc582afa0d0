using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Events in, stock and answers out, over a real broker and a real database.</summary>
[Collection(InventoryCollection.Name)]
public sealed class OrderEventsHandlerTests(SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly InventoryApp _app = shared.App;

    private Task<Guid> CreateAsync(Guid order, params (Guid Product, int Quantity)[] lines) =>
        _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, lines)));

    private Task<Guid> UpdateAsync(Guid order, long version, string status, params (Guid Product, int Quantity)[] lines) =>
        _app.Kafka.PublishAsync("order.updated", "order.updated.v1", order.ToString(), InventoryApp.Json(InventoryApp.Updated(order, version, status, lines)));

    private async Task<string?> OutcomeAsync(Guid order)
    {
        using var http = _app.CreateClient();
        var response = await http.GetAsync($"/api/inventory/reservations/{order}");
        return response.IsSuccessStatusCode ? (string?)(await response.Content.ReadFromJsonAsync<JsonNode>())!["outcome"] : null;
    }

    private Task WaitForAsync(Guid order, string outcome) =>
        Eventually.TrueAsync(async () => await OutcomeAsync(order) == outcome, s_timeout, $"the reservation is {outcome}");

    [Fact]
    public async Task Reserving_touches_no_index_of_the_levels()
    {
        var product = await _app.StockAsync(100);
        var orders = Enumerable.Range(0, 30).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var order in orders)
        {
            await CreateAsync(order, (product, 1));
            await WaitForAsync(order, "reserved");
        }

        // PostgreSQL updates these counters with a delay.
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<bool>("SELECT n_tup_upd >= 30 AND n_tup_hot_upd = n_tup_upd FROM pg_stat_user_tables WHERE relname = 'stock_levels'"),
            s_timeout, "all updates are heap-only");
    }

    [Fact]
    public async Task An_order_is_reserved_and_answered_in_its_own_trace()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        const string trace = "0af7651916cd43dd8448eb211c80319c";
        var cause = await _app.Kafka.PublishAsync(
            "order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, (product, 3))),
            headers: new Dictionary<string, string?> { ["traceparent"] = $"00-{trace}-b7ad6b7169203331-01", ["ce_correlationid"] = "chain-1" });

        var answer = (await _app.Kafka.ReadAsync("inventory.reservation", order.ToString(), seen => seen.Count == 1))[0];
        Assert.Equal("reserved", answer.Json.GetProperty("outcome").GetString());
        Assert.Equal(1, answer.Json.GetProperty("orderVersion").GetInt32());
        Assert.Equal(cause.ToString(), answer.Headers["ce_causationid"]);
        Assert.Equal("chain-1", answer.Headers["ce_correlationid"]);
        Assert.Equal("/inventory", answer.Headers["ce_source"]);
        Assert.Contains(trace, answer.Headers["traceparent"], StringComparison.Ordinal);
        Assert.Equal((10, 3), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Forty_orders_for_the_last_ten_units_reserve_exactly_ten()
    {
        var product = await _app.StockAsync(10);
        var orders = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(orders.Select(order => CreateAsync(order, (product, 1))));
        var outcomes = new List<string?>();
        foreach (var order in orders)
        {
            outcomes.Add(await Eventually.NotNullAsync(() => OutcomeAsync(order), s_timeout, "an outcome"));
        }

        Assert.Equal(10, outcomes.Count(o => o == "reserved"));
        Assert.Equal(30, outcomes.Count(o => o == "rejected"));
        Assert.Equal((10, 10), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_shortage_names_the_available_units()
    {
        var (tea, rice) = (await _app.StockAsync(10), await _app.StockAsync(1));
        var order = Guid.CreateVersion7();
        await CreateAsync(order, (tea, 2), (rice, 3));
        var answer = (await _app.Kafka.ReadAsync("inventory.reservation", order.ToString(), seen => seen.Count == 1))[0].Json;
        Assert.Equal("rejected", answer.GetProperty("outcome").GetString());
        var line = answer.GetProperty("lines").EnumerateArray().Single();
        Assert.Equal((rice, 3, 1), (line.GetProperty("productId").GetGuid(), line.GetProperty("requested").GetInt32(), line.GetProperty("available").GetInt32()));
        Assert.Equal((10, 0), await _app.QuantitiesAsync(tea));
    }

    [Fact]
    public async Task A_duplicate_reserves_once_even_without_its_inbox_row()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        var json = InventoryApp.Json(InventoryApp.Created(order, (product, 3)));
        var id = await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), json);
        await WaitForAsync(order, "reserved");
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), json, id);
        await _app.QueryAsync<long>("WITH d AS (DELETE FROM inbox_messages WHERE id = $1 RETURNING 1) SELECT count(*) FROM d", id);
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), json, id);

        // A later order in the same partition: once it is decided, the events before it are handled.
        var last = Guid.CreateVersion7();
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(last, (product, 1))));
        await WaitForAsync(last, "reserved");
        Assert.Equal((10, 4), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_cancel_that_overtakes_its_order_leaves_no_stock_reserved()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        await UpdateAsync(order, 2, "cancelPending", (product, 3));
        await WaitForAsync(order, "released");
        await CreateAsync(order, (product, 3));
        var last = Guid.CreateVersion7();
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(last, (product, 1))));
        await WaitForAsync(last, "reserved");
        Assert.Equal("released", await OutcomeAsync(order));
        Assert.Equal((10, 1), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task An_expired_order_releases_its_units_even_when_the_expiry_comes_first()
    {
        var product = await _app.StockAsync(10);
        var (waited, overtaken, last) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await CreateAsync(waited, (product, 3));
        await WaitForAsync(waited, "reserved");
        await UpdateAsync(waited, 2, "expired", (product, 3));
        await UpdateAsync(overtaken, 2, "expired", (product, 4));
        await WaitForAsync(waited, "released");
        await WaitForAsync(overtaken, "released");
        await CreateAsync(overtaken, (product, 4));
        // All 10 units: if the late order had reserved any, this order would be rejected.
        await CreateAsync(last, (product, 10));
        await WaitForAsync(last, "reserved");
        Assert.Equal("released", await OutcomeAsync(overtaken));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Revised_shipped_and_cancelled_orders_move_stock_once()
    {
        var (tea, rice) = (await _app.StockAsync(10), await _app.StockAsync(10));
        var (shipped, cancelled) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await CreateAsync(shipped, (tea, 4));
        await CreateAsync(cancelled, (tea, 4));
        await WaitForAsync(shipped, "reserved");
        await WaitForAsync(cancelled, "reserved");
        await UpdateAsync(shipped, 3, "revisionPending", (tea, 1), (rice, 2));
        await WaitForAsync(shipped, "revised");
        await UpdateAsync(shipped, 5, "shipped", (tea, 1), (rice, 2));
        await WaitForAsync(shipped, "shipped");
        await UpdateAsync(cancelled, 3, "cancelPending", (tea, 4));
        await WaitForAsync(cancelled, "released");
        await UpdateAsync(cancelled, 3, "cancelPending", (tea, 4));

        Assert.Equal((9, 0), await _app.QuantitiesAsync(tea));
        Assert.Equal((8, 0), await _app.QuantitiesAsync(rice));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Two_replicas_neither_deadlock_nor_reserve_twice()
    {
        await using var replica = await _app.StartReplicaAsync();
        var products = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            products.Add(await _app.StockAsync(1000));
        }

        var random = new Random(7);
        var orders = Enumerable.Range(0, 200).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(orders.Select(order => CreateAsync(order, [.. products.OrderBy(_ => random.Next()).Take(3).Select(p => (p, 1))])));
        await Task.WhenAll(orders.Where((_, i) => i % 3 == 0).Select(order => UpdateAsync(order, 2, "cancelPending", [.. products.Select(p => (p, 1))])));
        await Eventually.TrueAsync(
            // Counts only this test's orders; the topics may have other tests' orders too.
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM reservations WHERE order_id = ANY($1)", orders.ToArray()) == orders.Count
                && await _app.QueryAsync<long>("SELECT count(*) FROM reservations WHERE order_id = ANY($1) AND outcome = 'released'", orders.ToArray())
                    == orders.Where((_, i) => i % 3 == 0).Count(),
            TimeSpan.FromSeconds(60), "every order is decided");
        await _app.AssertBooksBalanceAsync();
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM dead_letters WHERE key = ANY($1)", (object)orders.Select(o => o.ToString()).ToArray()));
    }

    [Fact]
    public async Task A_poison_message_becomes_a_dead_letter_and_the_next_order_is_reserved()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), "{\"orderId\": 1}");
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, (product, -5))));
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, (product, 3))));
        await WaitForAsync(order, "reserved");

        using var http = _app.CreateClient();
        var letters = (await http.GetFromJsonAsync<JsonNode>("/api/inventory/dead-letters"))!["items"]!.AsArray()
            .Where(letter => (string?)letter!["key"] == order.ToString()).ToList();
        Assert.Equal(2, letters.Count);
        Assert.All(letters, letter => Assert.Equal("order.created", (string?)letter!["topic"]));
        Assert.Equal((10, 3), await _app.QuantitiesAsync(product));
    }
}
