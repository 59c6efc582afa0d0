using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Returns of goods from shipped orders.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ReturnTests(SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;

    private Task<Guid> ReturnAsync(Guid order, long version, bool restock, (Guid Product, int Quantity)[] lines, params (Guid Product, int Quantity)[] back) =>
        _app.Kafka.PublishAsync("order.updated", "order.updated.v1", order.ToString(), InventoryApp.Json(InventoryApp.Returned(order, version, restock, lines, back)));

    private async Task<Guid> ReservedAsync(params (Guid Product, int Quantity)[] lines)
    {
        var order = Guid.CreateVersion7();
        await _app.CreateAsync(order, null, lines);
        await _app.WaitForOutcomeAsync(order, "reserved");
        return order;
    }

    [Fact]
    public async Task Restocked_goods_return_to_their_locations_and_the_outcome_has_that_version()
    {
        using var http = _app.CreateClient();
        (await http.PostAsJsonAsync("/api/inventory/locations", new { code = "berlin", name = "Berlin", priority = -1 })).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        (await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 3, reason = "delivery", location = "berlin" })).EnsureSuccessStatusCode();
        var order = await ReservedAsync((product, 5));
        await _app.UpdateAsync(order, 3, "shipped", (product, 5));
        await _app.WaitForOutcomeAsync(order, "shipped");
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 4));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 4));
        await ReturnAsync(order, 5, restock: false, [(product, 5)], (product, 1));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 5);

        var locations = (await _app.LevelAsync(product))["locations"]!.AsArray().Select(l => ((string?)l!["location"], (int)l["onHand"]!));
        Assert.Equal([("berlin", 3), ("default", 9)], locations);
        var answers = await _app.Kafka.ReadAsync("inventory.reservation", order.ToString(), seen => seen.Count == 4);
        Assert.Equal([("reserved", 1), ("shipped", 3), ("shipped", 4), ("shipped", 5)], answers.Select(a => (a.Json.GetProperty("outcome").GetString()!, a.Json.GetProperty("orderVersion").GetInt32())));
        var returned = (await http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray()
            .Where(m => (string?)m!["kind"] == "returned").Select(m => (int)m!["onHandDelta"]!).Order().ToList();
        Assert.Equal([0, 1, 3], returned);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Units_that_come_back_over_the_limit_can_be_taken_away()
    {
        const long Limit = 1_000_000_000_000;
        using var http = _app.CreateClient();
        var product = await _app.StockAsync(Limit);
        var order = await ReservedAsync((product, 3));
        await _app.UpdateAsync(order, 3, "shipped", (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped");
        async Task<string> AdjustAsync(long delta)
        {
            var response = await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta, reason = "x" });
            return response.IsSuccessStatusCode ? "changed" : (string)(await response.BodyAsync())["errors"]!["$.delta"]![0]!;
        }

        Assert.Equal("changed", await AdjustAsync(3));
        await ReturnAsync(order, 4, restock: true, [(product, 3)], (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        Assert.Equal((Limit + 3, 0), await _app.QuantitiesAsync(product));

        Assert.Equal($"The location would have more than {Limit} units.", await AdjustAsync(1));
        Assert.Equal($"-{Limit} to {Limit}, but not 0, is allowed.", await AdjustAsync(Limit + 1));
        Assert.Equal($"-{Limit} to {Limit}, but not 0, is allowed.", await AdjustAsync(long.MinValue));
        Assert.Equal("changed", await AdjustAsync(-1));
        Assert.Equal((Limit + 2, 0), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_return_of_more_than_was_shipped_becomes_a_dead_letter_and_adds_no_stock()
    {
        using var http = _app.CreateClient();
        var product = await _app.StockAsync(10);
        var order = await ReservedAsync((product, 5));
        await _app.UpdateAsync(order, 3, "shipped", (product, 5));
        await _app.WaitForOutcomeAsync(order, "shipped");
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        await ReturnAsync(order, 5, restock: true, [(product, 5)], (product, 3));
        await Eventually.TrueAsync(
            async () => (await http.GetFromJsonAsync<JsonNode>("/api/inventory/dead-letters"))!["items"]!.AsArray().Any(letter => (string?)letter!["key"] == order.ToString()),
            TimeSpan.FromSeconds(30), "the return is a dead letter");
        Assert.Equal((8, 0), await _app.QuantitiesAsync(product));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_return_that_is_replayed_before_its_shipped_ships_the_order_first()
    {
        var product = await _app.StockAsync(10);
        var order = await ReservedAsync((product, 5));
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 2));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        await _app.UpdateAsync(order, 3, "shipped", (product, 5));
        // A later event in the same partition: once it is handled, the event before it is handled too.
        await ReturnAsync(order, 5, restock: true, [(product, 5)], (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 5);
        Assert.Equal((10, 0), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_replayed_return_is_applied_once_even_after_a_later_return()
    {
        using var http = _app.CreateClient();
        var product = await _app.StockAsync(10);
        var order = await ReservedAsync((product, 5));
        await _app.UpdateAsync(order, 3, "shipped", (product, 5));
        await _app.WaitForOutcomeAsync(order, "shipped");
        // A write that bypasses the service makes the return fail; the row is corrected below.
        await _app.QueryAsync<long>("UPDATE reservations SET shipped = '[]' WHERE order_id = $1 RETURNING order_version", order);
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 2));
        async Task<JsonNode?> LetterAsync() => (await http.GetFromJsonAsync<JsonNode>("/api/inventory/dead-letters"))!["items"]!.AsArray()
            .FirstOrDefault(letter => (string?)letter!["key"] == order.ToString());
        var letter = await Eventually.NotNullAsync(LetterAsync, TimeSpan.FromSeconds(30), "the return is a dead letter");
        await _app.QueryAsync<long>(
            "UPDATE reservations SET shipped = $2::text::jsonb WHERE order_id = $1 RETURNING order_version",
            order, InventoryApp.Json(new[] { new { productId = product, location = "default", quantity = 5 } }));
        await ReturnAsync(order, 5, restock: true, [(product, 5)], (product, 1));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 5);
        Assert.Equal((6, 0), await _app.QuantitiesAsync(product));

        (await http.PostAsync($"/api/inventory/dead-letters/{letter["id"]}/replay", null)).EnsureSuccessStatusCode();
        Assert.Null(await LetterAsync());
        Assert.Equal((8, 0), await _app.QuantitiesAsync(product));
        // The same return in another event, as if the inbox had forgotten it, and a later return in the same partition.
        await ReturnAsync(order, 4, restock: true, [(product, 5)], (product, 2));
        await ReturnAsync(order, 6, restock: true, [(product, 5)], (product, 1));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 6);
        Assert.Equal((9, 0), await _app.QuantitiesAsync(product));
        var answers = await _app.Kafka.ReadAsync("inventory.reservation", order.ToString(), seen => seen.Count == 5);
        Assert.Equal([1, 3, 5, 4, 6], answers.Select(answer => answer.Json.GetProperty("orderVersion").GetInt32()));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Goods_whose_location_is_being_deleted_return_to_the_default_one()
    {
        using var http = _app.CreateClient();
        (await http.PostAsJsonAsync("/api/inventory/locations", new { code = "closing", name = "Closing", priority = -2 })).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        (await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 3, reason = "delivery", location = "closing" })).EnsureSuccessStatusCode();
        var order = await ReservedAsync((product, 3));
        await _app.UpdateAsync(order, 3, "shipped", (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped");
        // The deletion has locked the location and waits for the levels; the return waits for the deletion.
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("SELECT FROM stock_levels WHERE product_id = $1 FOR UPDATE", connection, transaction) { Parameters = { new() { Value = product } } })
        {
            await command.ExecuteNonQueryAsync();
        }

        Task WaitingAsync(long transactions) => Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == transactions,
            TimeSpan.FromSeconds(30), $"{transactions} wait");
        var deletion = http.SendAsync(HttpMethod.Delete, "/api/inventory/locations/closing", ifMatch: "\"1\"");
        await WaitingAsync(1);
        await ReturnAsync(order, 4, restock: true, [(product, 3)], (product, 2));
        await WaitingAsync(2);
        await transaction.CommitAsync();

        Assert.Equal(HttpStatusCode.NoContent, (await deletion).StatusCode);
        await _app.WaitForOutcomeAsync(order, "shipped", version: 4);
        var locations = (await _app.LevelAsync(product))["locations"]!.AsArray().Select(l => ((string?)l!["location"], (int)l["onHand"]!));
        Assert.Equal([("default", 12)], locations);
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_levels WHERE location NOT IN (SELECT code FROM locations)"));
        await _app.AssertBooksBalanceAsync();
    }
}
