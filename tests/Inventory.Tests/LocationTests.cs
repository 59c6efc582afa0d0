using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Several warehouses: their records, stock at each of them, and orders served from them.</summary>
[Collection(InventoryCollection.Name)]
public sealed class LocationTests(InfrastructureFixture infrastructure, SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null, string? ifMatch = null) =>
        _http.SendAsync(method, path, body, ifMatch);

    private Task<HttpResponseMessage> LocationAsync(string code, int priority = 0, bool active = true) =>
        _http.PostAsJsonAsync("/api/inventory/locations", new { code, name = code, priority, active });

    /// <summary>Stock at one more location.</summary>
    private async Task AddAsync(Guid product, string location, long quantity) =>
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = quantity, reason = "delivery", location })).EnsureSuccessStatusCode();

    private async Task<(long OnHand, long Reserved)> AtAsync(Guid product, string location)
    {
        var at = (await _app.LevelAsync(product))["locations"]!.AsArray().Single(l => (string?)l!["location"] == location)!;
        return ((long)at["onHand"]!, (long)at["reserved"]!);
    }

    private async Task PlaceAsync(Guid order, string outcome, params (Guid Product, int Quantity)[] lines)
    {
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, lines)));
        await _app.WaitForOutcomeAsync(order, outcome);
    }

    [Fact]
    public async Task The_default_location_always_exists()
    {
        var list = (await _http.GetFromJsonAsync<JsonNode>("/api/inventory/locations"))!["items"]!.AsArray();
        Assert.Equal("default", (string?)list.Single()!["code"]);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, "/api/inventory/locations/default", ifMatch: "\"1\"")).StatusCode);
    }

    [Fact]
    public async Task Units_that_move_to_a_new_location_meanwhile_are_not_missed()
    {
        (await LocationAsync("cologne")).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using var transfer = await connection.BeginTransactionAsync();
        await using var move = new NpgsqlCommand(
            $"""
             UPDATE stock_levels SET on_hand = 5, version = version + 1 WHERE product_id = '{product}';
             INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at) VALUES ('{product}', 'cologne', 5, 0, 0, 1, now());
             """,
            connection);
        await move.ExecuteNonQueryAsync();

        var holding = _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 8 } } });
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1,
            TimeSpan.FromSeconds(30), "the hold waits for the transfer");
        await transfer.CommitAsync();

        Assert.Equal(HttpStatusCode.Created, (await holding).StatusCode);
        Assert.Equal((10, 8), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task A_location_is_created_read_changed_and_deleted()
    {
        var made = await LocationAsync("berlin", 1);
        Assert.Equal((HttpStatusCode.Created, "/api/inventory/locations/berlin", "\"1\""), (made.StatusCode, made.Headers.Location!.ToString(), made.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.Conflict, (await LocationAsync("berlin")).StatusCode);

        Assert.Equal(HttpStatusCode.PreconditionRequired, (await SendAsync(HttpMethod.Put, "/api/inventory/locations/berlin", new { name = "B", priority = 2, active = true })).StatusCode);
        var put = await SendAsync(HttpMethod.Put, "/api/inventory/locations/berlin", new { name = "Berlin", priority = 2, active = true }, "\"1\"");
        Assert.Equal((HttpStatusCode.OK, "\"2\""), (put.StatusCode, put.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(HttpMethod.Patch, "/api/inventory/locations/berlin", new { priority = 3 }, "\"1\"")).StatusCode);
        var patched = await (await SendAsync(HttpMethod.Patch, "/api/inventory/locations/berlin", new { active = false }, "\"2\"")).BodyAsync();
        Assert.Equal(("Berlin", 2, false, 3), ((string?)patched["name"], (int)patched["priority"]!, (bool)patched["active"]!, (int)patched["version"]!));

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/inventory/locations/berlin", ifMatch: "\"3\"")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync("/api/inventory/locations/berlin")).StatusCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_location_that_holds_units_free_or_reserved_cannot_be_deleted(int free)
    {
        (await LocationAsync("berlin", -1)).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        await AddAsync(product, "berlin", 3 + free);
        var order = Guid.CreateVersion7();
        await PlaceAsync(order, "reserved", (product, 3));
        var before = await _app.LevelAsync(product);

        var refused = await SendAsync(HttpMethod.Delete, "/api/inventory/locations/berlin", ifMatch: "\"1\"");
        Assert.Equal((HttpStatusCode.Conflict, "/problems/location-in-use"), (refused.StatusCode, (string?)(await refused.BodyAsync())["type"]));
        Assert.Equal("\"1\"", (await _http.GetAsync("/api/inventory/locations/berlin")).Headers.ETag!.Tag);
        Assert.Equal((3 + free, 3L), await AtAsync(product, "berlin"));
        Assert.True(JsonNode.DeepEquals(before, await _app.LevelAsync(product)));
        await _app.AssertBooksBalanceAsync();

        // The reserved units can still be shipped, and the empty location can be deleted.
        await _app.UpdateAsync(order, 3, "shipped", (product, 3));
        await _app.WaitForOutcomeAsync(order, "shipped");
        if (free > 0)
        {
            (await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from = "berlin", to = "default", quantity = free, reason = "closing" })).EnsureSuccessStatusCode();
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/inventory/locations/berlin", ifMatch: "\"1\"")).StatusCode);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Locations_are_paged_in_the_order_in_which_orders_are_served()
    {
        foreach (var (code, priority) in new[] { ("b", 1), ("a", 1), ("z", -5), ("c", 7) })
        {
            (await LocationAsync(code, priority)).EnsureSuccessStatusCode();
        }

        async Task<JsonNode> PageAsync(string query) => (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/locations?{query}"))!;
        static IEnumerable<string?> Codes(JsonNode page) => page["items"]!.AsArray().Select(l => (string?)l!["code"]);
        var seen = new List<string?>();
        var page = await PageAsync("limit=3");
        seen.AddRange(Codes(page));
        // A location inserted before the page that was read hides nothing and repeats nothing.
        (await LocationAsync("early", -9)).EnsureSuccessStatusCode();
        while ((string?)page["next"] is { } next)
        {
            page = await PageAsync($"limit=3&cursor={next}");
            seen.AddRange(Codes(page));
        }

        Assert.Equal(["z", "default", "a", "b", "c"], seen);
        Assert.Equal(["early", "z", "default", "a", "b", "c"], Codes(await PageAsync("")));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("cursor=", "cursor")]
    [InlineData("cursor=*", "cursor")]
    [InlineData("cursor=YQ", "cursor")] // a
    [InlineData("cursor=eC9h", "cursor")] // x/a
    [InlineData("cursor=MS8", "cursor")] // 1/
    public async Task A_page_of_locations_that_cannot_be_read_is_400(string query, string path)
    {
        var response = await _http.GetAsync($"/api/inventory/locations?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await response.BodyAsync())["errors"]!.AsObject().Single().Key);
    }

    [Fact]
    public async Task The_same_key_makes_one_location()
    {
        async Task<HttpResponseMessage> PostAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/inventory/locations") { Content = JsonContent.Create(new { code = "paris", name = "Paris" }) };
            request.Headers.Add("Idempotency-Key", "make-paris");
            return await _http.SendAsync(request);
        }

        Assert.Equal(HttpStatusCode.Created, (await PostAsync()).StatusCode);
        var again = await PostAsync();
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
    }

    [Theory]
    [InlineData("", "x", 0, "$.code")]
    [InlineData("Berlin", "x", 0, "$.code")]
    [InlineData("a/b", "x", 0, "$.code")]
    [InlineData("berlin", " ", 0, "$.name")]
    [InlineData("berlin", "x", 2_000_000, "$.priority")]
    public async Task A_malformed_location_is_400(string code, string name, int priority, string path)
    {
        var response = await _http.PostAsJsonAsync("/api/inventory/locations", new { code, name, priority });
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.NotNull((await response.BodyAsync())["errors"]![path]);
    }

    [Fact]
    public async Task Stock_is_shown_as_sums_and_per_location_and_the_version_only_grows()
    {
        (await LocationAsync("berlin", 1)).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        await AddAsync(product, "berlin", 5);
        var level = await _app.LevelAsync(product);
        Assert.Equal((15, 15, 2), ((int)level["onHand"]!, (int)level["available"]!, (int)level["version"]!));
        Assert.Equal(["berlin", "default"], level["locations"]!.AsArray().Select(l => (string?)l!["location"]));
        Assert.Equal((5, 0), await AtAsync(product, "berlin"));

        var transfer = await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from = "berlin", to = "default", quantity = 5, reason = "closing", reference = "T-1" });
        Assert.Equal(HttpStatusCode.Created, transfer.StatusCode);
        Assert.Equal("\"4\"", transfer.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/inventory/locations/berlin", ifMatch: "\"1\"")).StatusCode);
        // The empty row is gone, but its version still counts, and whoever has read it before reads the product again.
        using var read = new HttpRequestMessage(HttpMethod.Get, $"/api/inventory/{product}");
        read.Headers.TryAddWithoutValidation("If-None-Match", transfer.Headers.ETag.Tag);
        var after = await (await _http.SendAsync(read)).BodyAsync();
        Assert.Equal((15, 5), ((int)after["onHand"]!, (int)after["version"]!));
        Assert.Equal("default", (string?)after["locations"]!.AsArray().Single()!["location"]);
        Assert.True((DateTimeOffset)after["updatedAt"]! > (DateTimeOffset)(await transfer.BodyAsync())["updatedAt"]!);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_transfer_has_two_rows_and_never_goes_below_reserved()
    {
        (await LocationAsync("berlin", 1)).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        await PlaceAsync(Guid.CreateVersion7(), "reserved", (product, 8));
        var tooMuch = await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from = "default", to = "berlin", quantity = 3, reason = "x" });
        Assert.Equal((HttpStatusCode.Conflict, "/problems/stock-below-reserved"), (tooMuch.StatusCode, (string?)(await tooMuch.BodyAsync())["type"]));
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from = "default", to = "berlin", quantity = 2, reason = "x" })).EnsureSuccessStatusCode();
        Assert.Equal(((8L, 8L), (2L, 0L)), (await AtAsync(product, "default"), await AtAsync(product, "berlin")));
        var movements = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray()
            .Where(m => (string?)m!["kind"] == "transferred").Select(m => ((string?)m!["location"], (int)m["onHandDelta"]!)).ToHashSet();
        Assert.Equal([("default", -2), ("berlin", 2)], movements);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_unknown_location_is_422_everywhere()
    {
        var product = await _app.StockAsync(10);
        HttpResponseMessage[] responses =
        [
            await SendAsync(HttpMethod.Put, $"/api/inventory/{product}", new { onHand = 1, location = "atlantis" }, "\"1\""),
            await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 1, reason = "x", location = "atlantis" }),
            await _http.PostAsJsonAsync($"/api/inventory/{product}/stocktakes", new { expectedOnHand = 0, onHand = 1, reason = "x", location = "atlantis" }),
            await _http.PostAsJsonAsync($"/api/inventory/{product}/transfers", new { from = "default", to = "atlantis", quantity = 1, reason = "x" }),
        ];
        Assert.All(responses, response => Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode));
        Assert.Equal("/problems/unknown-location", (string?)(await responses[0].BodyAsync())["type"]);
    }

    [Fact]
    public async Task PUT_and_stocktake_apply_to_one_location_and_the_threshold_to_the_product()
    {
        (await LocationAsync("berlin", 1)).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10, threshold: 3);
        var put = await SendAsync(HttpMethod.Put, $"/api/inventory/{product}", new { onHand = 7, location = "berlin", lowStockThreshold = 20 }, "\"1\"");
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal((17, 20), ((int)(await put.BodyAsync())["onHand"]!, (int)(await _app.LevelAsync(product))["lowStockThreshold"]!));
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsJsonAsync($"/api/inventory/{product}/stocktakes", new { expectedOnHand = 17, onHand = 1, reason = "x", location = "berlin" })).StatusCode);
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/stocktakes", new { expectedOnHand = 7, onHand = 6, reason = "x", location = "berlin" })).EnsureSuccessStatusCode();
        Assert.Equal(((10L, 0L), (6L, 0L)), (await AtAsync(product, "default"), await AtAsync(product, "berlin")));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_order_is_split_by_priority_and_shipped_from_its_locations()
    {
        (await LocationAsync("berlin", -1)).EnsureSuccessStatusCode();
        (await LocationAsync("closed", -5, active: false)).EnsureSuccessStatusCode();
        var product = await _app.StockAsync(10);
        await AddAsync(product, "berlin", 4);
        await AddAsync(product, "closed", 100);
        var order = Guid.CreateVersion7();
        await PlaceAsync(order, "reserved", (product, 6));
        Assert.Equal(((4L, 4L), (10L, 2L), (100L, 0L)), (await AtAsync(product, "berlin"), await AtAsync(product, "default"), await AtAsync(product, "closed")));

        // Nothing is reserved from an inactive location, and the stock check takes that into account.
        var check = await (await _http.PostAsJsonAsync("/api/inventory/check", new { lines = new[] { new { productId = product, quantity = 9 } } })).BodyAsync();
        Assert.Equal((false, 8), ((bool)check["sufficient"]!, (int)check["lines"]![0]!["available"]!));
        await PlaceAsync(Guid.CreateVersion7(), "rejected", (product, 9));

        // A smaller quantity is released first from the location that is used last.
        await _app.UpdateAsync(order, 3, "revisionPending", (product, 5));
        await _app.WaitForOutcomeAsync(order, "revised");
        Assert.Equal(((4L, 4L), (10L, 1L)), (await AtAsync(product, "berlin"), await AtAsync(product, "default")));
        await _app.UpdateAsync(order, 5, "shipped", (product, 5));
        await _app.WaitForOutcomeAsync(order, "shipped");
        Assert.Equal(((0L, 0L), (9L, 0L)), (await AtAsync(product, "berlin"), await AtAsync(product, "default")));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Whole_order_fit_prefers_a_single_location()
    {
        await using var app = await InventoryApp.StartAsync(infrastructure, ("Inventory:Allocation", "WholeOrderFit"));
        using var http = app.CreateClient();
        foreach (var (code, priority) in new[] { ("berlin", 1), ("paris", 2) })
        {
            (await http.PostAsJsonAsync("/api/inventory/locations", new { code, name = code, priority })).EnsureSuccessStatusCode();
        }

        var (tea, rice) = (await app.StockAsync(5), await app.StockAsync(1));
        foreach (var (product, location, quantity) in new[] { (tea, "berlin", 5), (rice, "berlin", 1), (tea, "paris", 5), (rice, "paris", 5) })
        {
            (await http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = quantity, reason = "delivery", location })).EnsureSuccessStatusCode();
        }

        async Task<List<(string?, int)>> PlaceHereAsync(params (Guid Product, int Quantity)[] lines)
        {
            var order = Guid.CreateVersion7();
            await app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, lines)));
            await app.WaitForOutcomeAsync(order, "reserved");
            var reservation = await http.GetFromJsonAsync<JsonNode>($"/api/inventory/reservations/{order}");
            return [.. reservation!["lines"]!.AsArray().Select(l => ((string?)l!["location"], (int)l["quantity"]!))];
        }

        Assert.Equal([("paris", 3), ("paris", 3)], await PlaceHereAsync((tea, 3), (rice, 3)));
        // No location has the whole order any more: units are taken by priority and split where needed.
        Assert.Equal([("default", 4), ("default", 1), ("berlin", 1), ("paris", 1)], await PlaceHereAsync((tea, 4), (rice, 3)));
        await app.AssertBooksBalanceAsync();
    }
}
