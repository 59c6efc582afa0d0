using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Searches that warehouse staff make, and changes of several products in one request.</summary>
[Collection(InventoryCollection.Name)]
public sealed class FindStockTests(SharedInventory shared) : IClassFixture<SharedInventory>, IAsyncLifetime
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    public async Task InitializeAsync()
    {
        await shared.EmptyAsync();
        (await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "berlin", name = "Berlin" })).EnsureSuccessStatusCode();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Levels_are_found_and_exported_by_name_location_and_quantity()
    {
        var (tea, cake, empty) = (await _app.StockAsync(10, threshold: 20), await _app.StockAsync(50, threshold: 5), await _app.StockAsync(0));
        await NameAsync(tea, "TEA-001", "Chai 100% leaf");
        await NameAsync(cake, "CAKE-1", "Tea cake");
        (await _http.PostAsJsonAsync($"/api/inventory/{cake}/adjustments", new { delta = 7, reason = "delivery", location = "berlin" })).EnsureSuccessStatusCode();
        await ReserveAsync((tea, 4));

        await ExpectAsync("q=tea", tea, cake);
        await ExpectAsync("q=tea-0", tea);
        await ExpectAsync("q=100%25", tea);
        await ExpectAsync("q=1%25f");
        await ExpectAsync("q=coffee");
        await ExpectAsync("location=berlin", cake);
        await ExpectAsync("location=atlantis");
        await ExpectAsync("outOfStock=true", empty);
        await ExpectAsync("outOfStock=false", tea, cake);
        await ExpectAsync("reserved=true", tea);
        await ExpectAsync("reserved=true&location=berlin");
        await ExpectAsync("lowStock=true", tea);
        await ExpectAsync("lowStock=true&location=berlin");
        await ExpectAsync("q=tea&lowStock=false&location=berlin&outOfStock=false", cake);
        // With a location given, the export has only that location's rows.
        Assert.Equal(["productId,location,onHand,lowStockThreshold", $"{cake},berlin,7,5"],
            (await _http.GetStringAsync("/api/inventory/export?location=berlin")).Split('\n', StringSplitOptions.RemoveEmptyEntries));

        async Task ExpectAsync(string query, params Guid[] expected)
        {
            var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?{query}"))!;
            Assert.Equal(expected, page["items"]!.AsArray().Select(i => (Guid)i!["productId"]!));
            var lines = (await _http.GetStringAsync($"/api/inventory/export?{query}")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1);
            Assert.Equal(expected, lines.Select(line => Guid.Parse(line.Split(',')[0])).Distinct());
        }
    }

    [Fact]
    public async Task Reservations_and_holds_are_listed_by_location_product_and_state()
    {
        var (tea, cake) = (await _app.StockAsync(10), await _app.StockAsync(10));
        var (first, second) = (await ReserveAsync((tea, 1)), await ReserveAsync((cake, 1), (tea, 1)));
        var refused = Guid.CreateVersion7();
        await _app.CreateAsync(refused, null, (tea, 100));
        await _app.WaitForOutcomeAsync(refused, "rejected");
        Assert.Equal([refused, second, first], await OrdersAsync(""));
        Assert.Equal([second, first], await OrdersAsync($"productId={tea}"));
        Assert.Equal([second], await OrdersAsync($"productId={cake}&location=default&outcome=reserved,shipped"));
        Assert.Equal([refused], await OrdersAsync("outcome=rejected"));
        Assert.Empty(await OrdersAsync("location=berlin"));
        // An order that was shipped from a location is still found there.
        await _app.UpdateAsync(first, 2, "shipped", (tea, 1));
        await _app.WaitForOutcomeAsync(first, "shipped");
        Assert.Equal([second, first], await OrdersAsync("location=default"));
        var asked = (await _http.GetFromJsonAsync<JsonNode>("/internal/inventory/orders-at?location=default&oldestFirst=true"))!;
        Assert.Equal([first, second], asked["orders"]!.AsArray().Select(o => (Guid)o!));
        Assert.Null(asked["last"]);
        // Also after all of it has come back.
        await _app.Kafka.PublishAsync(
            "order.updated", "order.updated.v1", first.ToString(), InventoryApp.Json(InventoryApp.Returned(first, 3, restock: true, [(tea, 1)], (tea, 1))));
        await _app.WaitForOutcomeAsync(first, "shipped", version: 3);
        Assert.Equal([second, first], await OrdersAsync("location=default"));
        Assert.Equal([second, first], await OrdersAsync($"productId={tea}"));

        var hold = (Guid)(await (await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = tea, quantity = 2 } }, ttlSeconds = 60 })).BodyAsync())["id"]!;
        var over = (Guid)(await (await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = cake, quantity = 2 } }, ttlSeconds = 60 })).BodyAsync())["id"]!;
        await _app.QueryAsync<long>("WITH u AS (UPDATE holds SET expires_at = now() - interval '1 second' WHERE id = $1 RETURNING 1) SELECT count(*) FROM u", over);
        Assert.Equal([hold], await HoldsAsync("status=live"));
        Assert.Equal([hold], await HoldsAsync($"productId={tea}"));
        Assert.Equal([over], await HoldsAsync("status=expired"));

        async Task<IEnumerable<Guid>> OrdersAsync(string query) =>
            (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/reservations?{query}"))!["items"]!.AsArray().Select(i => (Guid)i!["orderId"]!);

        async Task<IEnumerable<Guid>> HoldsAsync(string query) =>
            (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds?{query}"))!["items"]!.AsArray().Select(i => (Guid)i!["id"]!);
    }

    [Fact]
    public async Task The_ledger_of_all_products_is_filtered_and_paged_and_keeps_to_its_period()
    {
        var (tea, cake) = (await _app.StockAsync(10), await _app.StockAsync(20));
        (await _http.PostAsJsonAsync($"/api/inventory/{tea}/adjustments", new { delta = -2, reason = "damaged", reference = "RMA-17" })).EnsureSuccessStatusCode();
        var order = await ReserveAsync((tea, 1), (cake, 2));

        Assert.Equal(5, (await MovementsAsync("")).Count);
        Assert.Equal([tea], await MovementsAsync("reference=RMA-17"));
        Assert.Equal([tea], await MovementsAsync("reason=damaged&kind=adjusted,counted"));
        Assert.Equal(new[] { tea, cake }.Order(), (await MovementsAsync($"orderId={order}")).Order());
        Assert.Empty(await MovementsAsync("kind=shipped"));
        Assert.Empty(await MovementsAsync("location=berlin"));
        Assert.Empty(await MovementsAsync("from=2020-01-01T00:00:00Z&to=2020-01-20T00:00:00Z"));
        var first = (await _http.GetFromJsonAsync<JsonNode>("/api/inventory/movements?limit=3"))!;
        var second = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/movements?limit=3&cursor={first["next"]}"))!;
        Assert.Equal((3, 2), (first["items"]!.AsArray().Count, second["items"]!.AsArray().Count));
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/movements?from=2020-01-01T00:00:00Z&to=2020-03-01T00:00:00Z")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/movements?kind=lost")).StatusCode);

        async Task<List<Guid>> MovementsAsync(string query) =>
            [.. (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/movements?{query}"))!["items"]!.AsArray().Select(i => (Guid)i!["productId"]!)];
    }

    [Fact]
    public async Task Stock_over_time_is_the_ledger_read_backwards()
    {
        var product = await _app.StockAsync(10);
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 5, reason = "delivery" })).EnsureSuccessStatusCode();
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -3, reason = "damaged" })).EnsureSuccessStatusCode();
        await ReserveAsync((product, 4));
        // As if each movement were one day after the previous one, from 2 to 5 November.
        await _app.QueryAsync<long>(
            """
            WITH m AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM stock_movements WHERE product_id = $1),
            u AS (UPDATE stock_movements s SET occurred_at = timestamptz '2026-11-01 12:00Z' + m.n * interval '1 day' FROM m WHERE s.id = m.id RETURNING 1)
            SELECT count(*) FROM u
            """, product);
        var days = await HistoryAsync("by=day&from=2026-11-01T00:00:00Z&to=2026-11-07T00:00:00Z");
        Assert.Equal(
            ["0 0 0 0", "10 0 10 0", "15 0 5 0", "12 0 0 3", "12 4 0 0", "12 4 0 0"],
            days.Select(d => $"{d!["onHand"]} {d["reserved"]} {d["in"]} {d["out"]}"));
        // The history is computed backwards from now, so movements after the period must be subtracted.
        Assert.Equal(["10 0 10 0"], (await HistoryAsync("by=day&from=2026-11-02T01:00:00Z&to=2026-11-02T02:00:00Z")).Select(d => $"{d!["onHand"]} {d["reserved"]} {d["in"]} {d["out"]}"));
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/inventory/{Guid.CreateVersion7()}/history")).StatusCode);

        async Task<JsonArray> HistoryAsync(string query) =>
            (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/history?{query}"))!["items"]!.AsArray();
    }

    [Fact]
    public async Task Several_products_are_changed_in_one_request_and_each_line_has_its_result()
    {
        var (tea, cake, fresh) = (await _app.StockAsync(10), await _app.StockAsync(20, threshold: 3), Guid.CreateVersion7());
        await ReserveAsync((tea, 8));
        var body = new
        {
            reason = "delivery",
            reference = "DN-1",
            lines = new object[]
            {
                new { productId = tea, delta = 5 },
                new { productId = tea, delta = -20 },
                new { productId = cake, onHand = 18, expectedOnHand = 19 },
                new { productId = cake, onHand = 19, expectedOnHand = 20, lowStockThreshold = 4 },
                new { productId = fresh, delta = 1 },
                new { productId = fresh, onHand = 6, location = "berlin" },
                new { productId = fresh, onHand = 6, location = "atlantis" },
                new { productId = cake, lowStockThreshold = 4 },
            },
        };
        var dry = await (await _http.PostAsJsonAsync("/api/inventory/changes", new { body.reason, body.reference, body.lines, dryRun = true })).BodyAsync();
        Assert.Equal(((10L, 8L), (20L, 0L)), (await _app.QuantitiesAsync(tea), await _app.QuantitiesAsync(cake)));
        var answer = await (await _http.SendAsync(HttpMethod.Post, "/api/inventory/changes", body, key: "k1")).BodyAsync();

        string[] expected =
        [
            "changed", "refused /problems/stock-below-reserved", "refused /problems/unexpected-stock", "changed", "refused /problems/not-found",
            "changed", "refused /problems/unknown-location", "unchanged",
        ];
        Assert.All(new[] { dry, answer }, a => Assert.Equal(expected, a["items"]!.AsArray().Select(i => $"{i!["outcome"]} {i["problem"]?["type"]}".Trim())));
        Assert.Equal((20, 15, 8), ((int)answer["items"]![2]!["problem"]!["onHand"]!, (int)answer["items"]![0]!["level"]!["onHand"]!, (int)answer["items"]![1]!["problem"]!["reserved"]!));
        Assert.Equal(
            ((15L, 8L), (19L, 0L), (6L, 0L)),
            (await _app.QuantitiesAsync(tea), await _app.QuantitiesAsync(cake), await _app.QuantitiesAsync(fresh)));
        Assert.Equal(4, (int)(await _app.LevelAsync(cake))["lowStockThreshold"]!);
        await _app.AssertBooksBalanceAsync();

        // The same request is not applied a second time.
        var again = await _http.SendAsync(HttpMethod.Post, "/api/inventory/changes", body, key: "k1");
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.All((await again.BodyAsync())["items"]!.AsArray(), i => Assert.Equal("replayed", (string?)i!["outcome"]));
        Assert.Equal((15L, 8L), await _app.QuantitiesAsync(tea));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _http.SendAsync(HttpMethod.Post, "/api/inventory/changes", new { reason = "other", body.lines }, key: "k1")).StatusCode);
    }

    [Fact]
    public async Task A_request_without_a_changed_line_leaves_no_key()
    {
        var product = await _app.StockAsync(1);
        async Task<string?> PostAsync()
        {
            var response = await _http.SendAsync(
                HttpMethod.Post, "/api/inventory/changes", new { reason = "damaged", lines = new[] { new { productId = product, delta = -2 } } }, key: $"scan {product}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (string?)(await response.BodyAsync())["items"]![0]!["outcome"];
        }

        Assert.Equal("refused", await PostAsync());
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 5, reason = "found" })).EnsureSuccessStatusCode();
        Assert.Equal("changed", await PostAsync());
        Assert.Equal("replayed", await PostAsync());
        Assert.Equal((4L, 0L), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task A_line_sees_what_earlier_lines_of_its_request_have_done()
    {
        var (fresh, removed) = (Guid.CreateVersion7(), await _app.StockAsync(3));
        Assert.Equal(HttpStatusCode.NoContent, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{removed}", ifMatch: "\"1\"")).StatusCode);
        object[] lines =
        [
            new { productId = fresh, onHand = 5 },
            new { productId = fresh, delta = 1 },
            new { productId = fresh, delta = 2, location = "berlin" },
            new { productId = fresh, lowStockThreshold = 4 },
            new { productId = fresh, onHand = 6 },
            new { productId = removed, onHand = 5 },
            new { productId = removed, onHand = 7, expectedOnHand = 5 },
        ];
        foreach (var dryRun in new[] { true, false })
        {
            var answer = await (await _http.PostAsJsonAsync("/api/inventory/changes", new { reason = "count", lines, dryRun })).BodyAsync();
            Assert.Equal(
                ["changed 8", "changed 8", "changed 8", "changed 8", "unchanged 8", "changed 7", "changed 7"],
                answer["items"]!.AsArray().Select(i => $"{i!["outcome"]} {i["level"]!["onHand"]}"));
        }

        Assert.Equal(((8L, 0L), (7L, 0L)), (await _app.QuantitiesAsync(fresh), await _app.QuantitiesAsync(removed)));
        Assert.Equal(4, (int)(await _app.LevelAsync(fresh))["lowStockThreshold"]!);
        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData("""{"reason": "x", "lines": []}""", "$.lines")]
    [InlineData("""{"reason": "", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "delta": 1}]}""", "$.reason")]
    [InlineData("""{"reason": "x", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001"}]}""", "$.lines[0]")]
    [InlineData("""{"reason": "x", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "delta": 0}]}""", "$.lines[0].delta")]
    [InlineData("""{"reason": "x", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "delta": 1, "onHand": 1}]}""", "$.lines[0]")]
    [InlineData("""{"reason": "x", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "delta": 1, "expectedOnHand": 1}]}""", "$.lines[0].expectedOnHand")]
    [InlineData("""{"reason": "x", "lines": [{"productId": "019ab000-0000-7000-8000-000000000001", "onHand": -1}]}""", "$.lines[0].onHand")]
    public async Task A_change_that_cannot_be_read_is_400_and_named(string body, string path)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var response = await _http.PostAsync("/api/inventory/changes", content);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await response.BodyAsync())["errors"]!.AsObject().Single().Key);
    }

    [Fact]
    public async Task A_dry_run_of_an_import_reports_its_result_and_changes_nothing()
    {
        var product = await _app.StockAsync(10);
        // The last rows are in another batch than the first ones, and are about a product that the first ones change.
        var between = string.Concat(Enumerable.Range(0, 300).Select(_ => $"{Guid.CreateVersion7()},3\n"));
        var file = $"productId,onHand\n{product},7\n{product},x\n{between}{product},7\n{product},8\n";
        var tried = (await new ApiClient(_http).SendAsync(HttpMethod.Post, "/api/inventory/import?dryRun=true", file, [], "text/csv")).ShouldBe(200);
        Assert.Equal((10L, 0L), await _app.QuantitiesAsync(product));
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_movements"));
        var done = (await new ApiClient(_http).SendAsync(HttpMethod.Post, "/api/inventory/import", file, [], "text/csv")).ShouldBe(200);
        Assert.Equal(done.Body, tried.Body);
        Assert.EndsWith("\"changed\":302,\"unchanged\":1,\"failed\":1,\"notReported\":0,\"error\":null}", done.Body.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal((8L, 0L), await _app.QuantitiesAsync(product));
    }

    private async Task<Guid> ReserveAsync(params (Guid Product, int Quantity)[] lines)
    {
        var order = Guid.CreateVersion7();
        await _app.CreateAsync(order, null, lines);
        await _app.WaitForOutcomeAsync(order, "reserved");
        return order;
    }

    private async Task NameAsync(Guid product, string sku, string name)
    {
        await _app.Kafka.PublishAsync("product.updated", "product.updated.v1", product.ToString(), JsonSerializer.Serialize(
            new { productId = product, version = 1, sku, name, price = new { amount = 1.00m, currency = "EUR" }, status = "active" }));
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM product_copies WHERE product_id = $1", product) == 1, TimeSpan.FromSeconds(30), "the product is known");
    }
}
