using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Compares the ledger with the levels, and both with what Orders reports.</summary>
[Collection(InventoryCollection.Name)]
public sealed class BooksTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;
    private HttpClient _http = null!;
    private WebApplication _orders = null!;
    private Func<string, IResult> _answer = _ => Results.StatusCode(503);

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        _orders = builder.Build();
        _orders.Urls.Add("http://127.0.0.1:0");
        _orders.MapGet("/internal/orders/open-lines", (string productIds) => _answer(productIds));
        await _orders.StartAsync();
        var address = _orders.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _app = await InventoryApp.StartAsync(infrastructure, ("services:orders:http:0", address));
        _http = _app.CreateClient();
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _orders.DisposeAsync();
    }

    private async Task<JsonNode> ReportAsync(string query) => (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/reconciliation?{query}"))!;

    /// <summary>Changes a level without writing to the ledger.</summary>
    private Task<long> BreakAsync(Guid product) => _app.QueryAsync<long>(
        "WITH u AS (UPDATE stock_levels SET on_hand = on_hand + 7, reserved = reserved + 1 WHERE product_id = $1 RETURNING 1) SELECT count(*) FROM u", product);

    private async Task<Guid> BusyProductAsync()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        await _app.CreateAsync(order, null, (product, 4));
        await _app.WaitForOutcomeAsync(order, "reserved");
        (await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 3 } } })).EnsureSuccessStatusCode();
        return product;
    }

    [Fact]
    public async Task A_rebuild_corrects_levels_that_differ_from_the_ledger()
    {
        var product = await BusyProductAsync();
        await BreakAsync(product);
        var dry = await (await _http.PostAsync($"/api/inventory/{product}/rebuild?dryRun=true", null)).BodyAsync();
        Assert.Equal((true, true, 17, 10), ((bool)dry["dryRun"]!, (bool)dry["changed"]!, (int)dry["before"]!["onHand"]!, (int)dry["after"]!["onHand"]!));
        Assert.Equal((17, 8), await _app.QuantitiesAsync(product));

        var done = await (await _http.PostAsync($"/api/inventory/{product}/rebuild", null)).BodyAsync();
        Assert.Equal((8, 7), ((int)done["before"]!["reserved"]!, (int)done["after"]!["reserved"]!));
        Assert.Equal((10, 7), await _app.QuantitiesAsync(product));
        Assert.True((long)done["after"]!["version"]! > (long)done["before"]!["version"]!);
        await _app.AssertBooksBalanceAsync();

        var again = await (await _http.PostAsync($"/api/inventory/{product}/rebuild", null)).BodyAsync();
        Assert.False((bool)again["changed"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.PostAsync($"/api/inventory/{Guid.CreateVersion7()}/rebuild", null)).StatusCode);
    }

    // Adds a wrong row instead of changing one: the ledger is append-only.
    [Theory]
    [InlineData(-20, 0, -10, 7)]
    [InlineData(0, 4, 10, 11)]
    [InlineData(0, -8, 10, -1)]
    public async Task A_ledger_that_does_not_add_up_is_409_and_changes_nothing(long onHandDelta, long reservedDelta, long onHand, long reserved)
    {
        var product = await BusyProductAsync();
        await _app.QueryAsync<long>(
            """
            WITH wrong AS (
                INSERT INTO stock_movements (id, product_id, location, kind, on_hand_delta, reserved_delta, occurred_at)
                SELECT $2, product_id, location, kind, $3, $4, occurred_at
                FROM stock_movements WHERE product_id = $1 LIMIT 1 RETURNING 1)
            SELECT count(*) FROM wrong
            """,
            product, Guid.CreateVersion7(), onHandDelta, reservedDelta);
        var before = await _app.LevelAsync(product);
        foreach (var query in new[] { "", "?dryRun=true" })
        {
            var refused = await _http.PostAsync($"/api/inventory/{product}/rebuild{query}", null);
            var problem = await refused.BodyAsync();
            Assert.Equal((HttpStatusCode.Conflict, "/problems/ledger-inconsistent"), (refused.StatusCode, (string?)problem["type"]));
            Assert.Equal(("default", onHand, reserved), ((string?)problem["location"], (long)problem["onHand"]!, (long)problem["reserved"]!));
            Assert.True(JsonNode.DeepEquals(before, await _app.LevelAsync(product)));
        }
    }

    [Fact]
    public async Task The_report_compares_and_changes_nothing()
    {
        var product = await BusyProductAsync();
        _answer = ids => Results.Json(new { items = new[] { new { productId = Guid.Parse(ids), quantity = 5, pendingQuantity = 2 } } });
        var item = (await ReportAsync($"productIds={product}"))["items"]!.AsArray().Single()!;
        Assert.True((bool)item["balanced"]!);
        Assert.Equal((10, 7, 10, 7), ((int)item["level"]!["onHand"]!, (int)item["level"]!["reserved"]!, (int)item["ledger"]!["onHand"]!, (int)item["ledger"]!["reserved"]!));
        Assert.Equal((4, 3, 5, 2, -1), ((int)item["reservations"]!, (int)item["holds"]!, (int)item["openOrders"]!, (int)item["pendingOrders"]!, (int)item["difference"]!));

        await BreakAsync(product);
        item = (await ReportAsync($"productIds={product}"))["items"]!.AsArray().Single()!;
        Assert.Equal((false, 17), ((bool)item["balanced"]!, (int)item["level"]!["onHand"]!));
        Assert.Equal((17, 8), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task A_product_without_levels_is_in_the_report()
    {
        var product = await BusyProductAsync();
        await _app.QueryAsync<long>("DELETE FROM stock_levels WHERE product_id = $1 RETURNING version", product);
        var item = (await ReportAsync($"productIds={product}"))["items"]!.AsArray().Single()!;
        Assert.Equal((false, 0, 10, 4), ((bool)item["balanced"]!, (int)item["level"]!["onHand"]!, (int)item["ledger"]!["onHand"]!, (int)item["reservations"]!));
        Assert.Contains((await ReportAsync("limit=100"))["items"]!.AsArray(), other => (Guid)other!["productId"]! == product);
    }

    [Fact]
    public async Task A_page_has_20_products_unless_the_request_says_otherwise()
    {
        var products = new List<Guid>();
        for (var i = 0; i < 21; i++)
        {
            products.Add(await _app.StockAsync(i));
        }

        Assert.Equal(20, (await ReportAsync(""))["items"]!.AsArray().Count);
        Assert.Equal(21, (await ReportAsync($"productIds={string.Join(',', products)}"))["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task While_Orders_is_down_the_report_has_null_in_its_columns()
    {
        var products = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            products.Add(await _app.StockAsync(i));
        }

        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = await ReportAsync(cursor is null ? "limit=2" : $"limit=2&cursor={cursor}");
            Assert.NotNull((string?)page["note"]);
            Assert.All(page["items"]!.AsArray(), item => Assert.Null(item!["openOrders"]));
            seen.AddRange(page["items"]!.AsArray().Select(item => (Guid)item!["productId"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        Assert.All(products, product => Assert.Single(seen, product));
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/reconciliation?productIds=x")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/reconciliation?limit=101")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory/reconciliation?cursor=x")).StatusCode);
    }
}
