using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Products that were deleted from the catalogue, and stock records that are removed.</summary>
[Collection(InventoryCollection.Name)]
public sealed class DeletedProductTests(InfrastructureFixture infrastructure, SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private async Task PublishProductAsync(Guid product, long version, string status)
    {
        await _app.Kafka.PublishAsync("product.updated", "product.updated.v1", product.ToString(), InventoryApp.Json(
            new { productId = product, version, sku = "TEA-1", name = "Chai", price = new { amount = 1.00m, currency = "EUR" }, status }));
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM product_copies WHERE product_id = $1 AND version = $2", product, version) == 1,
            TimeSpan.FromSeconds(30), "the product is known");
    }

    private async Task<JsonNode> HoldAsync(params Guid[] products) => await (await _http.PostAsJsonAsync(
        "/api/inventory/holds", new { lines = products.Select(product => new { productId = product, quantity = 2 }) })).BodyAsync();

    private async Task<bool> IsLowAsync(Guid product) =>
        (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?lowStock=true&productIds={product}"))!["items"]!.AsArray().Count == 1;

    // Fails when two handlers of one batch decide on the same stock and neither sees the other's change.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_books_balance_when_a_product_is_deleted_and_ordered_in_one_batch(bool deletedFirst)
    {
        var (product, order) = (await _app.StockAsync(5), Guid.CreateVersion7());
        await PublishProductAsync(product, 1, "active");
        await HoldAsync(product);
        EventRecord[] batch =
        [
            Record("product.updated", product, InventoryApp.Json(
                new { productId = product, version = 2, sku = "TEA-1", name = "Chai", price = new { amount = 1.00m, currency = "EUR" }, status = "deleted" })),
            Record("order.created", order, InventoryApp.Json(InventoryApp.Created(order, null, (product, 1)))),
        ];

        await _app.Services.GetRequiredService<InboxProcessor>().ProcessAsync(deletedFirst ? batch : [.. batch.Reverse()], CancellationToken.None);

        Assert.Equal((5, 1), await _app.QuantitiesAsync(product));
        await _app.AssertBooksBalanceAsync();
    }

    private static EventRecord Record(string topic, Guid key, string data) => new(
        topic, 0, 0, key.ToString(),
        new Headers { { "ce_id", Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()) }, { "ce_type", Encoding.UTF8.GetBytes(topic + ".v1") } },
        Encoding.UTF8.GetBytes(data));

    [Fact]
    public async Task A_deleted_product_is_not_low_not_exported_and_not_held_and_gets_no_new_stock()
    {
        var (gone, kept) = (await _app.StockAsync(5, threshold: 10), await _app.StockAsync(5, threshold: 10));
        await PublishProductAsync(gone, 1, "active");
        var (alone, both) = (await HoldAsync(gone), await HoldAsync(gone, kept));
        Assert.True(await IsLowAsync(gone));

        await PublishProductAsync(gone, 2, "deleted");
        Assert.False(await IsLowAsync(gone));
        Assert.True(await IsLowAsync(kept));
        var export = await _http.GetStringAsync("/api/inventory/export");
        Assert.DoesNotContain(gone.ToString(), export, StringComparison.Ordinal);
        Assert.Contains(kept.ToString(), export, StringComparison.Ordinal);
        Assert.Equal((5, 0), await _app.QuantitiesAsync(gone));
        Assert.Equal((5, 2), await _app.QuantitiesAsync(kept));
        Assert.Equal("released", (string?)(await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{alone["id"]}"))!["status"]);
        var rest = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{both["id"]}"))!;
        Assert.Equal(("live", kept.ToString()), ((string?)rest["status"], (string?)rest["lines"]!.AsArray().Single()!["productId"]));
        var events = await _app.Kafka.ReadAsync("inventory.updated", gone.ToString(), seen => seen.Count == 4);
        Assert.Equal("left", events[3].Json.GetProperty("lowStock").GetString());

        var held = await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = gone, quantity = 1 } } });
        Assert.Equal((HttpStatusCode)422, held.StatusCode);
        Assert.Equal((HttpStatusCode)422, (await _http.SendAsync(HttpMethod.Put, $"/api/inventory/{gone}", new { onHand = 9, lowStockThreshold = 10 }, "\"4\"")).StatusCode);
        Assert.Equal((HttpStatusCode)422, (await _http.PostAsJsonAsync($"/api/inventory/{gone}/adjustments", new { delta = 1, reason = "x" })).StatusCode);
        Assert.Equal((HttpStatusCode)422, (await _http.PostAsJsonAsync($"/api/inventory/{gone}/stocktakes", new { expectedOnHand = 5, onHand = 6, reason = "x" })).StatusCode);
        Assert.Contains("The product was deleted.", await (await _http.PostAsync("/api/inventory/import", new StringContent(
            $"productId,onHand,lowStockThreshold\n{gone},9,10\n", System.Text.Encoding.UTF8, "text/csv"))).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // The remaining units can still be taken out.
        Assert.Equal(HttpStatusCode.Created, (await _http.PostAsJsonAsync($"/api/inventory/{gone}/adjustments", new { delta = -1, reason = "x" })).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await _http.PostAsJsonAsync($"/api/inventory/{gone}/stocktakes", new { expectedOnHand = 4, onHand = 2, reason = "x" })).StatusCode);
        await HistoryCheck.LedgerAsync(_http, gone);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_discontinued_product_gets_no_new_holds_and_keeps_the_old_ones()
    {
        var (gone, kept) = (await _app.StockAsync(10), await _app.StockAsync(10));
        var hold = await HoldAsync(gone, kept);
        await PublishProductAsync(gone, 1, "discontinued");
        object Lines(int ofGone, int ofKept) => new { lines = new[] { new { productId = kept, quantity = ofKept }, new { productId = gone, quantity = ofGone } } };
        async Task RefusedAsync(HttpResponseMessage response)
        {
            Assert.Equal((HttpStatusCode)422, response.StatusCode);
            var problem = await response.BodyAsync();
            Assert.Equal(("/problems/unknown-product", "$.lines[1].productId"), ((string?)problem["type"], problem["errors"]!.AsObject().Single().Key));
        }

        await RefusedAsync(await _http.PostAsJsonAsync("/api/inventory/holds", Lines(1, 1)));
        await RefusedAsync(await _http.SendAsync(HttpMethod.Put, $"/api/inventory/holds/{hold["id"]}", Lines(3, 2), "\"1\""));
        Assert.Equal((10, 2), await _app.QuantitiesAsync(gone));
        // Like the lines of an order, a line may stay or become smaller.
        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(HttpMethod.Put, $"/api/inventory/holds/{hold["id"]}", Lines(2, 5), "\"1\"")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(HttpMethod.Put, $"/api/inventory/holds/{hold["id"]}", Lines(1, 5), "\"2\"")).StatusCode);
        Assert.Equal(((10L, 1L), (10L, 5L)), (await _app.QuantitiesAsync(gone), await _app.QuantitiesAsync(kept)));
        // Its stock can still be counted and sold off to the orders that have it.
        Assert.Equal(HttpStatusCode.Created, (await _http.PostAsJsonAsync($"/api/inventory/{gone}/adjustments", new { delta = 1, reason = "found" })).StatusCode);
    }

    [Fact]
    public async Task Lists_show_the_product_if_it_is_known_and_a_single_level_does_not()
    {
        var (known, unknown) = (await _app.StockAsync(5), await _app.StockAsync(5));
        await PublishProductAsync(known, 1, "deleted");
        var items = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={known},{unknown}"))!["items"]!.AsArray().ToDictionary(i => (Guid)i!["productId"]!, i => i!.AsObject());
        Assert.Equal("""{"sku":"TEA-1","name":"Chai","status":"deleted"}""", items[known]["product"]!.ToJsonString());
        Assert.False(items[unknown].ContainsKey("product"));
        Assert.False((await _app.LevelAsync(known)).AsObject().ContainsKey("product"));
    }

    [Fact]
    public async Task A_record_is_removed_when_nothing_is_reserved_and_a_new_one_continues_its_version()
    {
        var product = await _app.StockAsync(5, threshold: 10);
        var hold = await HoldAsync(product);
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", null, null)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", null, "\"2\"")).StatusCode);
        await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/holds/{hold["id"]}", null, "\"1\"");
        Assert.Equal(HttpStatusCode.NoContent, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", null, "\"3\"")).StatusCode);

        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/inventory/{product}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", null, "\"4\"")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 1, reason = "x" })).StatusCode);
        Assert.Empty((await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={product}"))!["items"]!.AsArray());
        Assert.DoesNotContain(product.ToString(), await _http.GetStringAsync("/api/inventory/export"), StringComparison.Ordinal);
        var ledger = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray();
        Assert.Equal((-5, "removed"), ((int)ledger[0]!["onHandDelta"]!, (string?)ledger[0]!["reason"]));

        var again = await _http.PutAsJsonAsync($"/api/inventory/{product}", new { onHand = 7 });
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal((5, 7, 0), ((int)(await _app.LevelAsync(product))["version"]!, (int)(await _app.LevelAsync(product))["onHand"]!, (int)(await _app.LevelAsync(product))["lowStockThreshold"]!));
        await HistoryCheck.LedgerAsync(_http, product);
        await _app.AssertBooksBalanceAsync();
    }

    [Theory]
    [InlineData(false, HttpStatusCode.NotFound)]
    [InlineData(true, HttpStatusCode.OK)]
    public async Task Goods_that_come_back_restore_a_removed_record_only_when_they_are_restocked(bool restock, HttpStatusCode expected)
    {
        var (product, order) = (await _app.StockAsync(2), Guid.CreateVersion7());
        await _app.CreateAsync(order, null, (product, 2));
        await _app.WaitForOutcomeAsync(order, "reserved");
        await _app.UpdateAsync(order, 2, "shipped", (product, 2));
        await _app.WaitForOutcomeAsync(order, "shipped");
        Assert.Equal(HttpStatusCode.NoContent, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", null, "\"3\"")).StatusCode);

        await _app.Kafka.PublishAsync(
            "order.updated", "order.updated.v1", order.ToString(), InventoryApp.Json(InventoryApp.Returned(order, 3, restock, [(product, 2)], (product, 2))));
        await _app.WaitForOutcomeAsync(order, "shipped", version: 3);

        Assert.Equal(expected, (await _http.GetAsync($"/api/inventory/{product}")).StatusCode);
        Assert.Equal(restock ? 1 : 0, (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={product}"))!["items"]!.AsArray().Count);
        var last = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]![0]!;
        Assert.Equal(("returned", restock ? 2 : 0), ((string?)last["kind"], (int)last["onHandDelta"]!));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_replayed_adjustment_is_answered_after_its_record_was_removed_too()
    {
        var product = await _app.StockAsync(5);
        Task<HttpResponseMessage> PostAsync() =>
            _http.SendAsync(HttpMethod.Post, $"/api/inventory/{product}/adjustments", new { delta = -2, reason = "damaged" }, key: "scan-19");
        Assert.Equal(HttpStatusCode.Created, (await PostAsync()).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await _http.SendAsync(HttpMethod.Delete, $"/api/inventory/{product}", ifMatch: "\"2\"")).StatusCode);

        var again = await PostAsync();
        Assert.Equal((HttpStatusCode.Created, "true"), (again.StatusCode, again.Headers.GetValues("Idempotency-Replayed").Single()));
        var level = await again.BodyAsync();
        Assert.Equal((0, 3), ((int)level["onHand"]!, (int)level["version"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/inventory/{product}")).StatusCode);
    }

    [Fact]
    public async Task A_hold_lasts_no_longer_than_its_lifetime_however_often_it_is_extended()
    {
        await using var app = await InventoryApp.StartAsync(infrastructure, ("Inventory:MaxHoldLifetime", "01:00:00"));
        using var http = app.CreateClient();
        var product = await app.StockAsync(5);
        async Task<HttpResponseMessage> MakeAsync(int ttl) => await http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 1 } }, ttlSeconds = ttl });
        Assert.Equal(HttpStatusCode.BadRequest, (await MakeAsync(3601)).StatusCode);
        var hold = await (await MakeAsync(600)).BodyAsync();
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsJsonAsync($"/api/inventory/holds/{hold["id"]}/extend", new { ttlSeconds = 3000 })).StatusCode);

        // As if the hold had been made half an hour ago.
        await app.QueryAsync<long>("WITH u AS (UPDATE holds SET created_at = created_at - interval '30 minutes' RETURNING 1) SELECT count(*) FROM u");
        var before = (await http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{hold["id"]}"))!;
        var refused = await http.PostAsJsonAsync($"/api/inventory/holds/{hold["id"]}/extend", new { ttlSeconds = 3500 });
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var problem = await refused.BodyAsync();
        Assert.Equal("/problems/hold-lifetime-exceeded", (string?)problem["type"]);
        Assert.Equal((DateTimeOffset)before["createdAt"]! + TimeSpan.FromHours(1), (DateTimeOffset)problem["latestExpiresAt"]!);
        Assert.Equal(before.ToJsonString(), (await http.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{hold["id"]}"))!.ToJsonString());
    }

    [Fact]
    public async Task Events_caused_by_a_timer_have_a_trace()
    {
        var product = await _app.StockAsync(5);
        await HoldAsync(product);
        await _app.QueryAsync<long>("WITH u AS (UPDATE holds SET expires_at = now() - interval '1 second' RETURNING 1) SELECT count(*) FROM u");
        var events = await _app.Kafka.ReadAsync("inventory.updated", product.ToString(), seen => seen.Count == 3);
        Assert.All(events, e => Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", e.Headers["traceparent"]));
    }
}
