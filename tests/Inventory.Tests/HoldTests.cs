using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Units held for carts. The sweeper does not run by itself in these tests, so that they show what happens without it.</summary>
[Collection(InventoryCollection.Name)]
public sealed class HoldTests(HoldTests.WithoutSweep shared) : EmptyInventoryTests(shared), IClassFixture<HoldTests.WithoutSweep>
{
    /// <summary>An Inventory service whose sweeper does not run during the tests.</summary>
    public sealed class WithoutSweep(InfrastructureFixture infrastructure) : SharedInventory(infrastructure)
    {
        protected override (string Name, string Value)[] Settings => [("Inventory:HoldSweep", "1.00:00:00")];
    }

    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private Task<HttpResponseMessage> HoldAsync(int ttlSeconds, params (Guid Product, int Quantity)[] lines) =>
        _http.PostAsJsonAsync("/api/inventory/holds", new { lines = Lines(lines), ttlSeconds });

    private static object[] Lines((Guid Product, int Quantity)[] lines) => [.. lines.Select(l => new { productId = l.Product, quantity = l.Quantity })];

    private async Task<Guid> HeldAsync(params (Guid Product, int Quantity)[] lines)
    {
        var response = await HoldAsync(900, lines);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (Guid)(await response.BodyAsync())["id"]!;
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, Guid hold, object? body = null, string? ifMatch = null) =>
        _http.SendAsync(method, $"/api/inventory/holds/{hold}", body, ifMatch);

    private async Task<string?> StatusAsync(Guid hold) => (string?)(await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{hold}"))!["status"];

    /// <summary>Lets the hold expire without a run of the sweeper.</summary>
    private Task<long> ExpireAsync(Guid hold) => _app.QueryAsync<long>(
        "WITH u AS (UPDATE holds SET expires_at = now() - interval '1 second' WHERE id = $1 RETURNING 1) SELECT count(*) FROM u", hold);

    private async Task<JsonNode> CheckAsync(Guid product, int quantity, Guid? holdId = null) => await (await _http.PostAsJsonAsync(
        "/api/inventory/check", new { lines = Lines([(product, quantity)]), holdId })).BodyAsync();

    [Fact]
    public async Task A_hold_keeps_units_and_can_be_read_changed_extended_and_released()
    {
        var product = await _app.StockAsync(10);
        var made = await HoldAsync(60, (product, 2), (product, 2));
        Assert.Equal((HttpStatusCode.Created, "\"1\""), (made.StatusCode, made.Headers.ETag!.Tag));
        var body = await made.BodyAsync();
        var hold = (Guid)body["id"]!;
        Assert.Equal($"/api/inventory/holds/{hold}", made.Headers.Location!.ToString());
        Assert.Equal((4, "live"), ((int)body["lines"]!.AsArray().Single()!["quantity"]!, (string?)body["status"]));
        Assert.Equal((10, 4), await _app.QuantitiesAsync(product));

        Assert.Equal(HttpStatusCode.PreconditionRequired, (await SendAsync(HttpMethod.Put, hold, new { lines = Lines([(product, 9)]) })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, hold, new { lines = Lines([(product, 9)]) }, "\"1\"")).StatusCode);
        Assert.Equal((10, 9), await _app.QuantitiesAsync(product));
        var isShort = await SendAsync(HttpMethod.Put, hold, new { lines = Lines([(product, 11)]) }, "\"2\"");
        Assert.Equal((HttpStatusCode.Conflict, 10), (isShort.StatusCode, (int)(await isShort.BodyAsync())["lines"]![0]!["available"]!));

        var stale = await _http.SendAsync(HttpMethod.Post, $"/api/inventory/holds/{hold}/extend", new { ttlSeconds = 3600 }, "\"1\"");
        Assert.Equal((HttpStatusCode.PreconditionFailed, 2), (stale.StatusCode, (int)(await stale.BodyAsync())["version"]!));
        Assert.Equal((DateTimeOffset)body["expiresAt"]!, (DateTimeOffset)(await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{hold}"))!["expiresAt"]!);
        var extended = await (await _http.SendAsync(HttpMethod.Post, $"/api/inventory/holds/{hold}/extend", new { ttlSeconds = 3600 }, "\"2\"")).BodyAsync();
        Assert.True((DateTimeOffset)extended["expiresAt"]! - (DateTimeOffset)body["expiresAt"]! > TimeSpan.FromMinutes(50));

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, hold, ifMatch: "\"3\"")).StatusCode);
        Assert.Equal(((10L, 0L), "released"), (await _app.QuantitiesAsync(product), await StatusAsync(hold)));
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsJsonAsync($"/api/inventory/holds/{hold}/extend", new { })).StatusCode);
        var kinds = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray()
            .Where(m => (Guid?)m!["holdId"] == hold).Select(m => ((string?)m!["kind"], (int)m["reservedDelta"]!)).ToList();
        Assert.Equal([("holdReleased", -9), ("held", 5), ("held", 4)], kinds);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_extension_by_less_than_the_remaining_time_changes_nothing()
    {
        var hold = await HeldAsync((await _app.StockAsync(10), 2));
        var before = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{hold}"))!;
        var kept = await _http.SendAsync(HttpMethod.Post, $"/api/inventory/holds/{hold}/extend", new { ttlSeconds = 60 }, "\"1\"");
        Assert.Equal((HttpStatusCode.OK, "\"1\""), (kept.StatusCode, kept.Headers.ETag!.Tag));
        Assert.Equal(before.ToJsonString(), (await kept.BodyAsync()).ToJsonString());
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, hold, ifMatch: "\"1\"")).StatusCode);
    }

    [Fact]
    public async Task The_times_of_a_hold_rise_even_when_the_services_clock_is_set_back()
    {
        var product = await _app.StockAsync(10);
        _app.Clock.Offset = TimeSpan.FromHours(-1);
        try
        {
            var made = await (await HoldAsync(60, (product, 2))).BodyAsync();
            Assert.Equal((DateTimeOffset)made["createdAt"]!, (DateTimeOffset)made["updatedAt"]!);
            var changed = await (await SendAsync(HttpMethod.Put, (Guid)made["id"]!, new { lines = Lines([(product, 3)]) }, "\"1\"")).BodyAsync();
            Assert.True((DateTimeOffset)changed["updatedAt"]! > (DateTimeOffset)made["updatedAt"]!);
        }
        finally
        {
            _app.Clock.Offset = TimeSpan.Zero;
        }
    }

    [Fact]
    public async Task A_hold_without_enough_stock_keeps_nothing_and_reports_the_available_units()
    {
        var (tea, rice) = (await _app.StockAsync(10), await _app.StockAsync(1));
        var response = await HoldAsync(60, (tea, 2), (rice, 3));
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        var problem = await response.BodyAsync();
        Assert.Equal("/problems/insufficient-stock", (string?)problem["type"]);
        Assert.Equal((rice, 3, 1), ((Guid)problem["lines"]![0]!["productId"]!, (int)problem["lines"]![0]!["requested"]!, (int)problem["lines"]![0]!["available"]!));
        Assert.Equal((10, 0), await _app.QuantitiesAsync(tea));
    }

    [Fact]
    public async Task Forty_holds_of_the_last_ten_units_keep_exactly_ten()
    {
        var product = await _app.StockAsync(10);
        var responses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => HoldAsync(60, (product, 1))));
        Assert.Equal((10, 30), (responses.Count(r => r.StatusCode == HttpStatusCode.Created), responses.Count(r => r.StatusCode == HttpStatusCode.Conflict)));
        Assert.Equal((10, 10), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData("{\"lines\": []}", "$.lines")]
    [InlineData("{\"lines\": [{\"productId\": \"019a0000-0000-7000-8000-000000000001\", \"quantity\": 0}]}", "$.lines[0].quantity")]
    [InlineData("{\"lines\": [{\"productId\": \"019a0000-0000-7000-8000-000000000001\", \"quantity\": 1}], \"ttlSeconds\": 86401}", "$.ttlSeconds")]
    [InlineData("{\"lines\": [null]}", "$.lines")]
    public async Task A_malformed_hold_is_400(string json, string path)
    {
        var response = await _http.PostAsync("/api/inventory/holds", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains((await response.BodyAsync())["errors"]!.AsObject(), error => error.Key.StartsWith(path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_key_holds_once()
    {
        var product = await _app.StockAsync(10);
        Task<HttpResponseMessage> PostAsync(int quantity) =>
            _http.SendAsync(HttpMethod.Post, "/api/inventory/holds", new { lines = Lines([(product, quantity)]) }, key: "cart-" + product);

        var first = await (await PostAsync(3)).BodyAsync();
        var again = await PostAsync(3);
        Assert.Equal((HttpStatusCode.Created, (Guid)first["id"]!), (again.StatusCode, (Guid)(await again.BodyAsync())["id"]!));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(4)).StatusCode);
        Assert.Equal((10, 3), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task An_order_with_the_hold_gets_what_it_keeps_and_the_rest_is_free()
    {
        var (tea, rice) = (await _app.StockAsync(10), await _app.StockAsync(5));
        var hold = await HeldAsync((tea, 8), (rice, 5));
        Assert.False((bool)(await CheckAsync(tea, 9))["sufficient"]!);
        Assert.True((bool)(await CheckAsync(tea, 9, hold))["sufficient"]!);
        var (other, order) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await _app.CreateAsync(other, null, (tea, 9));
        await _app.WaitForOutcomeAsync(other, "rejected");
        await _app.CreateAsync(order, hold, (tea, 9));
        await _app.WaitForOutcomeAsync(order, "reserved");
        Assert.Equal(((10L, 9L), (5L, 0L), "consumed"), (await _app.QuantitiesAsync(tea), await _app.QuantitiesAsync(rice), await StatusAsync(hold)));
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, hold, ifMatch: "\"2\"")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Put, hold, new { lines = Lines([(tea, 1)]) }, "\"2\"")).StatusCode);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Of_two_orders_with_one_hold_one_gets_it()
    {
        var product = await _app.StockAsync(10);
        var hold = await HeldAsync((product, 10));
        var orders = new[] { Guid.CreateVersion7(), Guid.CreateVersion7() };
        await Task.WhenAll(orders.Select(order => _app.CreateAsync(order, hold, (product, 10))));
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM reservations WHERE order_id = ANY($1)", (object)orders) == 2,
            TimeSpan.FromSeconds(30), "both are decided");
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM reservations WHERE order_id = ANY($1) AND outcome = 'reserved'", (object)orders));
        Assert.Equal((10, 10), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_insufficient_hold_stays_active_and_an_unknown_hold_is_ignored()
    {
        var product = await _app.StockAsync(10);
        var hold = await HeldAsync((product, 4));
        var (tooMuch, unknown) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await _app.CreateAsync(tooMuch, hold, (product, 11));
        await _app.WaitForOutcomeAsync(tooMuch, "rejected");
        Assert.Equal("live", await StatusAsync(hold));
        await _app.CreateAsync(unknown, Guid.CreateVersion7(), (product, 6));
        await _app.WaitForOutcomeAsync(unknown, "reserved");
        Assert.Equal((10, 10), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_expired_hold_does_not_count_even_before_the_sweeper_runs()
    {
        var (tea, rice) = (await _app.StockAsync(10), await _app.StockAsync(10));
        var hold = await HeldAsync((tea, 8), (rice, 8));
        await ExpireAsync(hold);
        Assert.Equal("expired", await StatusAsync(hold));
        Assert.True((bool)(await CheckAsync(tea, 10))["sufficient"]!);
        Assert.Equal(10, (int)(await CheckAsync(tea, 10, hold))["lines"]![0]!["available"]!);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsJsonAsync($"/api/inventory/holds/{hold}/extend", new { })).StatusCode);

        var (stranger, owner) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await _app.CreateAsync(stranger, null, (tea, 9));
        await _app.WaitForOutcomeAsync(stranger, "reserved");
        // Only the units of the product that was short have been released; the rest is left to the sweeper or to the next request that needs it.
        Assert.Equal(((10L, 9L), (10L, 8L)), (await _app.QuantitiesAsync(tea), await _app.QuantitiesAsync(rice)));
        await HeldAsync((rice, 10));
        await _app.CreateAsync(owner, hold, (tea, 2));
        await _app.WaitForOutcomeAsync(owner, "rejected");
        Assert.Equal(((10L, 9L), (10L, 10L)), (await _app.QuantitiesAsync(tea), await _app.QuantitiesAsync(rice)));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task The_sweepers_of_two_replicas_release_expired_holds_once()
    {
        var product = await _app.StockAsync(100);
        var lapsed = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            lapsed.Add(await HeldAsync((product, 1)));
        }

        var live = await HeldAsync((product, 5));
        foreach (var hold in lapsed)
        {
            await ExpireAsync(hold);
        }

        await using var first = await _app.StartReplicaAsync(("Inventory:HoldSweep", "00:00:00.050"));
        await using var second = await _app.StartReplicaAsync(("Inventory:HoldSweep", "00:00:00.050"));
        await Eventually.TrueAsync(async () => (await _app.QuantitiesAsync(product)).Reserved == 5, TimeSpan.FromSeconds(30), "the expired holds are swept");
        Assert.Equal(("expired", "live"), (await StatusAsync(lapsed[0]), await StatusAsync(live)));
        Assert.Equal(20L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_movements WHERE product_id = $1 AND kind = 'holdExpired'", product));
        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData("UPDATE stock_levels SET reserved = 0 WHERE product_id = $1 RETURNING version")]
    [InlineData("DELETE FROM stock_levels WHERE product_id = $1 RETURNING version")]
    public async Task A_hold_without_reserved_units_stops_neither_the_sweeper_nor_other_holds(string breakBooks)
    {
        var (broken, sound) = (await _app.StockAsync(10), await _app.StockAsync(10));
        var (stuck, first, second) = (await HeldAsync((broken, 4)), await HeldAsync((sound, 2)), await HeldAsync((sound, 3)));
        await _app.QueryAsync<long>(breakBooks, broken);
        await ExpireAsync(stuck);
        await ExpireAsync(first);
        await using var replica = await _app.StartReplicaAsync(("Inventory:HoldSweep", "00:00:00.050"));
        Task SweptToAsync(Guid product, long reserved) => Eventually.TrueAsync(
            async () => (await _app.QuantitiesAsync(product)).Reserved == reserved, TimeSpan.FromSeconds(30), "the expired holds are swept");

        await SweptToAsync(sound, 3);
        await ExpireAsync(second);
        await SweptToAsync(sound, 0);
        await Eventually.TrueAsync(
            () => Task.FromResult(replica.Logs.Errors.Any(error => error.StartsWith($"Hold {stuck} cannot be ended", StringComparison.Ordinal)
                && error.Contains("must be rebuilt", StringComparison.Ordinal))),
            TimeSpan.FromSeconds(30), "the log reports it");
        Assert.Equal("live", await _app.QueryAsync<string>("SELECT status FROM holds WHERE id = $1", stuck));

        (await _http.PostAsync($"/api/inventory/{broken}/rebuild", null)).EnsureSuccessStatusCode();
        await SweptToAsync(broken, 0);
        Assert.Equal(10, (await _app.QuantitiesAsync(broken)).OnHand);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_order_with_a_hold_without_reserved_units_becomes_a_dead_letter()
    {
        var product = await _app.StockAsync(10);
        var (hold, order) = (await HeldAsync((product, 4)), Guid.CreateVersion7());
        await _app.QueryAsync<long>("DELETE FROM stock_levels WHERE product_id = $1 RETURNING version", product);
        await _app.CreateAsync(order, hold, (product, 4));
        await Eventually.TrueAsync(
            async () => (await _http.GetFromJsonAsync<JsonNode>("/api/inventory/dead-letters"))!["items"]!.AsArray().Any(letter => (string?)letter!["key"] == order.ToString()),
            TimeSpan.FromSeconds(30), "the order is a dead letter");
        Assert.Equal("live", await StatusAsync(hold));
    }

    [Fact]
    public async Task An_expired_hold_without_reserved_units_blocks_no_order_and_no_hold()
    {
        var product = await _app.StockAsync(10);
        var (stuck, sound, order) = (await HeldAsync((product, 4)), await HeldAsync((product, 3)), Guid.CreateVersion7());
        await ExpireAsync(stuck);
        await ExpireAsync(sound);
        // The level has only three reserved units, so the four units of the first hold cannot be released.
        await _app.QueryAsync<long>("UPDATE stock_levels SET on_hand = 4, reserved = 3 WHERE product_id = $1 RETURNING version", product);
        await _app.CreateAsync(order, null, (product, 9));
        await _app.WaitForOutcomeAsync(order, "rejected");
        Assert.Equal((4, 0), await _app.QuantitiesAsync(product));
        Assert.Equal(HttpStatusCode.Conflict, (await HoldAsync(60, (product, 9))).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await HoldAsync(60, (product, 4))).StatusCode);
    }
}
