using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Features;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Closing balances, and the report that reads them instead of the whole ledger.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ClosingTests(SharedInventory shared) : IClassFixture<SharedInventory>, IAsyncLifetime
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();
    private readonly CloseLedger _closing = shared.App.Services.GetServices<IHostedService>().OfType<CloseLedger>().Single();

    public async Task InitializeAsync()
    {
        await shared.EmptyAsync();
        foreach (var code in new[] { "berlin", "cologne" })
        {
            (await _http.PostAsJsonAsync("/api/inventory/locations", new { code, name = code })).EnsureSuccessStatusCode();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static DateTimeOffset Yesterday => TimeProvider.System.GetUtcNow().AddDays(-1);

    /// <summary>A cut after everything written so far; the service itself closes only older movements.</summary>
    private static DateTimeOffset Everything => TimeProvider.System.GetUtcNow().AddMinutes(1);

    private Task CloseAsync(DateTimeOffset before) => _closing.CloseAsync(before, CancellationToken.None);

    private async Task AdjustAsync(Guid product, long delta, string location = "default") =>
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta, reason = "count", location })).EnsureSuccessStatusCode();

    /// <summary>Makes a product with 10 units at one location and 5 at another since two days ago, 3 of them reserved by a hold made today.</summary>
    private async Task<Guid> OldProductAsync()
    {
        Guid product;
        _app.Clock.Offset = TimeSpan.FromDays(-2);
        try
        {
            product = await _app.StockAsync(10);
            await AdjustAsync(product, 5, "berlin");
        }
        finally
        {
            _app.Clock.Offset = TimeSpan.Zero;
        }

        await HoldAsync(product, 3);
        return product;
    }

    private async Task HoldAsync(Guid product, long quantity) =>
        (await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity } } })).EnsureSuccessStatusCode();

    private Task<long> WriteAsync(string sql, params object[] parameters) => _app.QueryAsync<long>($"WITH w AS ({sql} RETURNING 1) SELECT count(*) FROM w", parameters);

    private async Task<JsonNode> ReportAsync(Guid product, bool full = false) =>
        (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/reconciliation?productIds={product}&full={(full ? "true" : "false")}"))!["items"]!.AsArray().Single()!;

    /// <summary>Whether the report finds the product balanced, without and with reading the whole ledger.</summary>
    private async Task<(bool Balanced, bool Audited)> BalancedAsync(Guid product) =>
        ((bool)(await ReportAsync(product))["balanced"]!, (bool)(await ReportAsync(product, full: true))["balanced"]!);

    /// <summary>Each location's balance plus the movements after the cut is its whole ledger; all locations of a product have the same cut.</summary>
    private async Task AssertCorrectAsync()
    {
        Assert.Equal(0L, await _app.QueryAsync<long>(
            """
            WITH cut AS (SELECT DISTINCT product_id, last_movement_id FROM stock_balances),
            part AS (
                SELECT product_id, location, on_hand, reserved FROM stock_balances
                UNION ALL
                SELECT product_id, location, on_hand_delta, reserved_delta FROM stock_movements m LEFT JOIN cut c USING (product_id)
                WHERE c.product_id IS NULL OR m.id > c.last_movement_id
                UNION ALL
                SELECT product_id, location, -on_hand_delta, -reserved_delta FROM stock_movements)
            SELECT count(*) FROM (SELECT FROM part GROUP BY product_id, location HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0) AS wrong
            """));
        Assert.Equal(0L, await _app.QueryAsync<long>(
            "SELECT count(*) FROM (SELECT FROM stock_balances GROUP BY product_id HAVING count(DISTINCT last_movement_id) > 1) AS wrong"));
        Assert.Equal(await ItemsAsync(full: true), await ItemsAsync(full: false));

        async Task<string> ItemsAsync(bool full)
        {
            var items = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/reconciliation?limit=100&full={(full ? "true" : "false")}"))!["items"]!.AsArray();
            Assert.All(items, item => Assert.True((bool)item!["balanced"]!));
            return items.ToJsonString();
        }
    }

    private Task<string[]> RowVersionsAsync(Guid product) =>
        _app.QueryAsync<string[]>("SELECT array_agg(location || ' ' || xmin::text ORDER BY location) FROM stock_balances WHERE product_id = $1", product);

    [Fact]
    public async Task Balances_plus_later_movements_are_the_whole_ledger_at_any_cut()
    {
        var random = new Random(7);
        string[] locations = ["default", "berlin", "cologne"];
        Guid[] products = [await _app.StockAsync(50), await _app.StockAsync(20), await _app.StockAsync(5)];
        for (var i = 0; i < 12; i++)
        {
            for (var step = 0; step < 8; step++)
            {
                var (product, from, to, units) = (products[random.Next(3)], locations[random.Next(3)], locations[random.Next(3)], random.Next(1, 6));
                var response = random.Next(4) switch
                {
                    0 => await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = units, reason = "delivery", location = to }),
                    1 => await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -units, reason = "broken", location = from }),
                    2 => await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from, to, quantity = units, reason = "move" }),
                    _ => await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = units } } }),
                };
                // Some requests are refused; they write no movement.
                Assert.True((int)response.StatusCode < 500, response.StatusCode.ToString());
            }

            await CloseAsync(await _app.QueryAsync<DateTime>("SELECT occurred_at FROM stock_movements ORDER BY random() LIMIT 1"));
            await AssertCorrectAsync();
        }

        await CloseAsync(Everything);
        await AssertCorrectAsync();
        await _app.AssertBooksBalanceAsync();
        Assert.True(await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances WHERE reserved > 0") > 0);
        Assert.True(await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances WHERE location <> 'default' AND on_hand > 0") > 0);
    }

    [Fact]
    public async Task Closing_again_touches_only_products_that_have_moved()
    {
        var (moved, still) = (await OldProductAsync(), await OldProductAsync());
        await CloseAsync(Everything);
        var (before, after) = (await RowVersionsAsync(moved), await RowVersionsAsync(still));
        await CloseAsync(Everything);
        Assert.Equal(before, await RowVersionsAsync(moved));
        Assert.Equal(after, await RowVersionsAsync(still));

        await AdjustAsync(moved, 1);
        await CloseAsync(Everything);
        // Both locations have the new cut.
        Assert.All((await RowVersionsAsync(moved)).Zip(before), row => Assert.NotEqual(row.Second, row.First));
        Assert.Equal(after, await RowVersionsAsync(still));
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task Two_concurrent_closings_add_a_movement_once_and_block_nothing_else()
    {
        var product = await OldProductAsync();
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var first = await connection.BeginTransactionAsync();
        await using var writes = new NpgsqlBatch(connection, first);
        writes.AddClosing([product], Yesterday);
        await writes.ExecuteNonQueryAsync();

        var second = CloseAsync(Everything);
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM pg_locks WHERE relation = 'stock_balances'::regclass AND NOT granted") == 1,
            TimeSpan.FromSeconds(30), "the second one waits");
        await AdjustAsync(product, 4, "cologne");
        Assert.Equal((true, true), await BalancedAsync(product));
        Assert.False(second.IsCompleted);

        await first.CommitAsync();
        await second;
        await AssertCorrectAsync();
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances WHERE reserved = 3"));
    }

    [Fact]
    public async Task Replicas_that_close_while_stock_moves_leave_correct_balances()
    {
        Guid[] products = [await _app.StockAsync(100), await _app.StockAsync(100), await _app.StockAsync(100)];
        var moving = Task.WhenAll(Enumerable.Range(0, 4).Select(async client =>
        {
            for (var i = 0; i < 20; i++)
            {
                await AdjustAsync(products[(client + i) % 3], i % 2 == 0 ? 1 : -1);
                await AdjustAsync(products[i % 3], 1, client % 2 == 0 ? "berlin" : "cologne");
            }
        }));
        do
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => CloseAsync(TimeProvider.System.GetUtcNow().AddMilliseconds(-5 * i))));
        }
        while (!moving.IsCompleted);

        await moving;
        await AssertCorrectAsync();
        await CloseAsync(Everything);
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task An_interrupted_closing_leaves_correct_balances_and_the_next_one_continues()
    {
        var products = new List<Guid>();
        for (var i = 0; i < 25; i++)
        {
            products.Add(await _app.StockAsync(i));
        }

        // The run stops once in the middle of a transaction, and then between two transactions.
        await using (var connection = await _app.Database.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await using var writes = new NpgsqlBatch(connection);
            writes.AddClosing([.. products], Everything);
            await writes.ExecuteNonQueryAsync();
        }

        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances"));
        products.Sort();
        Assert.Equal(products[19], await _closing.CloseSomeAsync(Guid.Empty, Everything, CancellationToken.None));
        Assert.Equal(20L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances"));
        await AssertCorrectAsync();
        await AdjustAsync(products[0], 1);
        await AdjustAsync(products[24], 1);

        await CloseAsync(Everything);
        Assert.Equal(25L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances"));
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances b JOIN stock_movements m USING (product_id) WHERE m.id > b.last_movement_id"));
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task A_movement_that_commits_late_is_not_missed()
    {
        var product = await OldProductAsync();
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var late = await connection.BeginTransactionAsync();
        await using var move = new NpgsqlCommand(
            """
            WITH locked AS (SELECT * FROM lock_stock(ARRAY[$1]::uuid[], '{}')),
            moved AS (
                INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, occurred_at)
                SELECT $1, $2, 'default', 'adjusted', 2, 0, now() FROM locked WHERE location = 'default')
            UPDATE stock_levels SET on_hand = on_hand + 2, updated_at = now() WHERE product_id = $1 AND location = 'default'
            """,
            connection);
        move.Parameters.Add(new() { Value = product });
        move.Parameters.Add(new() { Value = OrderedIds.At(TimeProvider.System.GetUtcNow()) });
        Assert.Equal(1, await move.ExecuteNonQueryAsync());

        // Closing does not wait for the locks. It takes only committed movements, and the cut is no later than these.
        await CloseAsync(Everything);
        Assert.Equal(2L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances WHERE product_id = $1", product));
        await late.CommitAsync();
        await AssertCorrectAsync();
        Assert.Equal(17, (int)(await ReportAsync(product))["ledger"]!["onHand"]!);
        await CloseAsync(Everything);
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task A_changed_old_movement_is_found_by_the_audit_and_by_a_rebuild()
    {
        var product = await OldProductAsync();
        await CloseAsync(Yesterday);
        Assert.Equal((true, true), await BalancedAsync(product));
        Assert.Equal(1L, await WriteAsync("UPDATE stock_movements SET on_hand_delta = on_hand_delta + 4 WHERE product_id = $1 AND kind = 'adjusted'", product));
        Assert.Equal((true, false), await BalancedAsync(product));
        Assert.Equal((15, 19), ((int)(await ReportAsync(product))["ledger"]!["onHand"]!, (int)(await ReportAsync(product, full: true))["ledger"]!["onHand"]!));

        var dry = await (await _http.PostAsync($"/api/inventory/{product}/rebuild?dryRun=true", null)).BodyAsync();
        Assert.Equal((true, 19), ((bool)dry["changed"]!, (int)dry["after"]!["onHand"]!));
        Assert.Equal((true, false), await BalancedAsync(product));

        (await _http.PostAsync($"/api/inventory/{product}/rebuild", null)).EnsureSuccessStatusCode();
        Assert.Equal((19, 3), await _app.QuantitiesAsync(product));
        Assert.Equal((true, true), await BalancedAsync(product));
        Assert.Equal(9L, await _app.QueryAsync<long>("SELECT on_hand FROM stock_balances WHERE product_id = $1 AND location = 'berlin'", product));
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task An_old_movement_that_was_changed_with_its_level_is_found_by_the_audit()
    {
        var product = await OldProductAsync();
        await CloseAsync(Yesterday);
        await WriteAsync("UPDATE stock_movements SET on_hand_delta = on_hand_delta + 4 WHERE product_id = $1 AND kind = 'adjusted'", product);
        await WriteAsync("UPDATE stock_levels SET on_hand = on_hand + 4 WHERE product_id = $1 AND location = 'berlin'", product);
        // The plain report misses the 4 units in the balance; the audit sees that level and ledger agree and the balance does not.
        Assert.Equal((false, false), await BalancedAsync(product));
        var audit = await ReportAsync(product, full: true);
        Assert.Equal((19, 19), ((int)audit["level"]!["onHand"]!, (int)audit["ledger"]!["onHand"]!));
    }

    [Theory]
    [InlineData("UPDATE stock_balances SET on_hand = on_hand + 1 WHERE product_id = $1 AND location = 'berlin'")]
    [InlineData("UPDATE stock_balances SET reserved = reserved + 1 WHERE product_id = $1 AND location = 'default'")]
    [InlineData("DELETE FROM stock_balances WHERE product_id = $1 AND location = 'berlin'")]
    [InlineData("INSERT INTO stock_balances SELECT product_id, 'cologne', 1, 0, last_movement_id FROM stock_balances WHERE product_id = $1 AND location = 'default'")]
    public async Task A_wrong_balance_is_found_and_a_rebuild_recalculates_it(string wrong)
    {
        var product = await OldProductAsync();
        await CloseAsync(Yesterday);
        Assert.Equal(1L, await WriteAsync(wrong, product));
        Assert.Equal((false, false), await BalancedAsync(product));

        var done = await (await _http.PostAsync($"/api/inventory/{product}/rebuild", null)).BodyAsync();
        Assert.False((bool)done["changed"]!);
        Assert.Equal((true, true), await BalancedAsync(product));
        Assert.Equal(2L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances WHERE product_id = $1", product));
        await AssertCorrectAsync();
    }

    [Fact]
    public async Task A_changed_recent_movement_is_found_without_the_audit()
    {
        var product = await OldProductAsync();
        await CloseAsync(Yesterday);
        Assert.Equal(1L, await WriteAsync("UPDATE stock_movements SET reserved_delta = reserved_delta + 1 WHERE product_id = $1 AND kind = 'held'", product));
        Assert.Equal((false, false), await BalancedAsync(product));
    }

    [Fact]
    public async Task A_product_is_found_by_its_closed_ledger_or_its_balances_alone()
    {
        var product = await OldProductAsync();
        await CloseAsync(Everything);
        await WriteAsync("DELETE FROM stock_levels WHERE product_id = $1", product);
        await ExpectAsync(audited: 15);
        await WriteAsync("DELETE FROM stock_movements WHERE product_id = $1", product);
        await ExpectAsync(audited: 0);

        async Task ExpectAsync(int audited)
        {
            Assert.Equal((false, false), await BalancedAsync(product));
            var item = (await _http.GetFromJsonAsync<JsonNode>("/api/inventory/reconciliation"))!["items"]!.AsArray().Single()!;
            Assert.Equal((product, 0, 15), ((Guid)item["productId"]!, (int)item["level"]!["onHand"]!, (int)item["ledger"]!["onHand"]!));
            Assert.Equal(audited, (int)(await ReportAsync(product, full: true))["ledger"]!["onHand"]!);
        }
    }

    [Fact]
    public async Task The_service_closes_old_movements_by_itself()
    {
        var product = await OldProductAsync();
        await Rounds.RunUntilAsync(
            time => ActivatorUtilities.CreateInstance<CloseLedger>(_app.Services, time),
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM stock_balances") == 2,
            "it has closed");
        // Today's movements are not included.
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT sum(reserved)::bigint FROM stock_balances WHERE product_id = $1", product));
        await AssertCorrectAsync();
    }
}
