using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

[Collection(InventoryCollection.Name)]
public sealed class StockApiTests(SharedInventory shared) : IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private Task<HttpResponseMessage> PutAsync(Guid product, object body, string? ifMatch = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/inventory/{product}") { Content = JsonContent.Create(body) };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return _http.SendAsync(request);
    }

    private static async Task<JsonNode> BodyAsync(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>())!;

    [Fact]
    public async Task A_new_stock_record_is_201_and_needs_no_If_Match()
    {
        var product = Guid.CreateVersion7();
        var response = await PutAsync(product, new { onHand = 39, lowStockThreshold = 10 });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("\"1\"", response.Headers.ETag!.Tag);
        var body = await BodyAsync(response);
        Assert.Equal((39, 0, 39, 10, 1), ((int)body["onHand"]!, (int)body["reserved"]!, (int)body["available"]!, (int)body["lowStockThreshold"]!, (int)body["version"]!));
    }

    [Theory]
    [InlineData("\"7\"")]
    [InlineData("*")]
    [InlineData("W/\"1\"")]
    public async Task A_removed_record_is_not_created_again_by_a_conditional_update(string tag)
    {
        var product = await _app.StockAsync(39, 10);
        using var remove = new HttpRequestMessage(HttpMethod.Delete, $"/api/inventory/{product}");
        remove.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        Assert.Equal(HttpStatusCode.NoContent, (await _http.SendAsync(remove)).StatusCode);

        var late = await PutAsync(product, new { onHand = 5 }, tag);

        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        Assert.Null((await BodyAsync(late))["version"]);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/inventory/{product}")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await PutAsync(product, new { onHand = 5 })).StatusCode);
    }

    [Fact]
    public async Task Creating_a_record_that_exists_is_412()
    {
        var product = await _app.StockAsync(39, 10);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/inventory/{product}") { Content = JsonContent.Create(new { onHand = 5 }) };
        request.Headers.TryAddWithoutValidation("If-None-Match", "*");

        var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
        Assert.Equal(1, (int)(await BodyAsync(answer))["version"]!);
    }

    [Fact]
    public async Task Setting_an_existing_record_needs_If_Match()
    {
        var product = await _app.StockAsync(39, 10);
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await PutAsync(product, new { onHand = 5 })).StatusCode);
        var stale = await PutAsync(product, new { onHand = 5 }, "\"7\"");
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(1, (int)(await BodyAsync(stale))["version"]!);
        var set = await PutAsync(product, new { onHand = 5 }, "\"1\"");
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var body = await BodyAsync(set);
        // An omitted threshold stays unchanged.
        Assert.Equal((5, 10, 2), ((int)body["onHand"]!, (int)body["lowStockThreshold"]!, (int)body["version"]!));
    }

    [Fact]
    public async Task Twenty_parallel_first_PUTs_make_one_record()
    {
        var product = Guid.CreateVersion7();
        var responses = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => PutAsync(product, new { onHand = i })));
        Assert.Equal(1, responses.Count(r => r.StatusCode == HttpStatusCode.Created));
        Assert.Equal(19, responses.Count(r => r.StatusCode == HttpStatusCode.PreconditionRequired));
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Reading_honours_If_None_Match_and_sees_a_change_immediately()
    {
        var product = await _app.StockAsync(10);
        var first = await _http.GetAsync($"/api/inventory/{product}");
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/inventory/{product}");
        request.Headers.TryAddWithoutValidation("If-None-Match", first.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, (await _http.SendAsync(request)).StatusCode);

        (await PutAsync(product, new { onHand = 11 }, "\"1\"")).EnsureSuccessStatusCode();
        Assert.Equal(11, (int)(await _app.LevelAsync(product))["onHand"]!);
    }

    [Fact]
    public async Task An_unknown_product_is_404() =>
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync($"/api/inventory/{Guid.CreateVersion7()}")).StatusCode);

    [Theory]
    [InlineData("{\"onHand\": -1}", "$.onHand")]
    [InlineData("{\"onHand\": 1.5}", "$.onHand")]
    [InlineData("{\"onHand\": \"3\"}", "$.onHand")]
    [InlineData("{\"onHand\": 99999999999999999999}", "$.onHand")]
    [InlineData("{\"onHand\": 1, \"lowStockThreshold\": -1}", "$.lowStockThreshold")]
    [InlineData("{\"onHand\": 1, \"extra\": 1}", "$.extra")]
    [InlineData("{\"onHand\": 1, \"onHand\": 2}", "$")]
    [InlineData("{}", "$")]
    [InlineData("{", "$")]
    [InlineData("null", "$")]
    public async Task Malformed_input_is_400_with_its_path(string json, string path)
    {
        var response = await _http.PutAsync($"/api/inventory/{Guid.CreateVersion7()}", new StringContent(json, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = await BodyAsync(response);
        Assert.Equal("/problems/malformed-request", (string?)problem["type"]);
        Assert.StartsWith(path, problem["errors"]!.AsObject().Single().Key, StringComparison.Ordinal);
        Assert.NotNull(problem["traceId"]);
    }

    [Theory]
    [InlineData("adjustments", """{"delta": -2, "reason": "damaged"}""", 8)]
    [InlineData("stocktakes", """{"expectedOnHand": 10, "onHand": 8, "reason": "count"}""", 8)]
    [InlineData("transfers", """{"from": "default", "to": "annex", "quantity": 2, "reason": "rebalancing"}""", 10)]
    public async Task An_idempotency_key_changes_the_stock_once(string kind, string body, long onHand)
    {
        var annex = await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "annex", name = "Annex" });
        Assert.True(annex.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict);
        var product = await _app.StockAsync(10);
        var request = JsonNode.Parse(body)!.AsObject();
        Task<HttpResponseMessage> PostAsync() => _http.SendAsync(HttpMethod.Post, $"/api/inventory/{product}/{kind}", request, key: "scan-17");

        // Requests that arrive while the first one is being handled get 409 and may be retried.
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => PostAsync()));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created && !answer.Headers.Contains("Idempotency-Replayed"));

        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 5, reason = "found" })).EnsureSuccessStatusCode();
        var again = await PostAsync();
        Assert.Equal(("true", onHand + 5), (again.Headers.GetValues("Idempotency-Replayed").Single(), (long)(await again.BodyAsync())["onHand"]!));
        Assert.Equal($"\"{(await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!["version"]}\"", again.Headers.ETag!.Tag);
        Assert.Equal((onHand + 5, 0), await _app.QuantitiesAsync(product));

        request["reason"] = "another";
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync()).StatusCode);
    }

    [Fact]
    public async Task A_refused_adjustment_leaves_no_key()
    {
        var product = await _app.StockAsync(1);
        Task<HttpResponseMessage> PostAsync() =>
            _http.SendAsync(HttpMethod.Post, $"/api/inventory/{product}/adjustments", new { delta = -2, reason = "damaged" }, key: "scan-18");

        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync()).StatusCode);
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 5, reason = "found" })).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Created, (await PostAsync()).StatusCode);
        Assert.Equal((4, 0), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task Concurrent_changes_that_create_a_record_at_a_new_location_all_count()
    {
        (await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "yard-" + Guid.CreateVersion7().ToString("N")[..12], name = "Yard" })).EnsureSuccessStatusCode();
        var yard = (string)(await _http.GetFromJsonAsync<JsonNode>("/api/inventory/locations"))!["items"]!.AsArray().Last(l => ((string)l!["code"]!).StartsWith("yard-", StringComparison.Ordinal))!["code"]!;
        var product = await _app.StockAsync(10);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _http.SendAsync(
            HttpMethod.Post, $"/api/inventory/{product}/adjustments", new { delta = 1, reason = "found", location = yard }, key: i % 2 == 0 ? $"yard-{i}" : null)));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
        Assert.Equal((18, 0), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task An_adjustment_has_its_movement()
    {
        var product = await _app.StockAsync(10);
        var response = await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -2, reason = "damaged", reference = "RMA-17" });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(8, (int)(await _app.LevelAsync(product))["onHand"]!);
        var movements = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements"))!["items"]!.AsArray();
        Assert.Equal("damaged", (string?)movements[0]!["reason"]);
        Assert.Equal("RMA-17", (string?)movements[0]!["reference"]);
        Assert.Equal(-2, (int)movements[0]!["onHandDelta"]!);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task An_adjustment_needs_a_reason_and_a_record()
    {
        var product = await _app.StockAsync(10);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 1 })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 0, reason = "x" })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = 1, reason = "a\0b" })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.PostAsJsonAsync($"/api/inventory/{Guid.CreateVersion7()}/adjustments", new { delta = 1, reason = "x" })).StatusCode);
    }

    [Fact]
    public async Task Nothing_goes_below_what_is_reserved()
    {
        var product = await _app.StockAsync(10);
        var order = Guid.CreateVersion7();
        await _app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, (product, 8))));
        await Eventually.TrueAsync(async () => (await _app.QuantitiesAsync(product)).Reserved == 8, TimeSpan.FromSeconds(30), "8 are reserved");

        var adjusted = await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -3, reason = "damaged" });
        Assert.Equal(HttpStatusCode.Conflict, adjusted.StatusCode);
        Assert.Equal("/problems/stock-below-reserved", (string?)(await BodyAsync(adjusted))["type"]);
        Assert.Equal(HttpStatusCode.Conflict, (await PutAsync(product, new { onHand = 7 }, "\"2\"")).StatusCode);
        Assert.Equal((10, 8), await _app.QuantitiesAsync(product));
    }

    [Fact]
    public async Task A_stocktake_is_accepted_only_for_the_expected_quantity()
    {
        var product = await _app.StockAsync(39);
        var counted = await _http.PostAsJsonAsync($"/api/inventory/{product}/stocktakes", new { expectedOnHand = 39, onHand = 37, reason = "count", reference = "2026-11" });
        Assert.Equal(HttpStatusCode.Created, counted.StatusCode);
        var again = await _http.PostAsJsonAsync($"/api/inventory/{product}/stocktakes", new { expectedOnHand = 39, onHand = 36, reason = "count" });
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Equal(37, (int)(await BodyAsync(again))["onHand"]!);
        await _app.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_check_sums_lines_of_one_product()
    {
        var product = await _app.StockAsync(10);
        var response = await _http.PostAsJsonAsync("/api/inventory/check", new { lines = new[] { new { productId = product, quantity = 6 }, new { productId = product, quantity = 6 } } });
        var body = await BodyAsync(response);
        Assert.False((bool)body["sufficient"]!);
        var line = body["lines"]!.AsArray().Single()!;
        Assert.Equal((12, 10, false), ((int)line["requested"]!, (int)line["available"]!, (bool)line["sufficient"]!));
    }

    [Fact]
    public async Task A_check_of_no_line_at_all_is_400() => Assert.Equal(
        HttpStatusCode.BadRequest,
        (await _http.PostAsync("/api/inventory/check", new StringContent("{\"lines\": [null]}", Encoding.UTF8, "application/json"))).StatusCode);

    [Fact]
    public async Task A_check_of_something_unknown_is_short_and_not_an_error()
    {
        var body = await BodyAsync(await _http.PostAsJsonAsync("/api/inventory/check", new { lines = new[] { new { productId = Guid.CreateVersion7(), quantity = 1 } } }));
        Assert.False((bool)body["sufficient"]!);
        Assert.Equal(0, (int)body["lines"]![0]!["available"]!);
    }

    [Fact]
    public async Task Low_stock_and_batches_can_be_listed()
    {
        var low = await _app.StockAsync(5, threshold: 10);
        var enough = await _app.StockAsync(50, threshold: 10);
        var unwatched = await _app.StockAsync(0);
        var list = (await _http.GetFromJsonAsync<JsonNode>("/api/inventory?lowStock=true&limit=100"))!["items"]!.AsArray().Select(i => (Guid)i!["productId"]!).ToList();
        Assert.Contains(low, list);
        Assert.DoesNotContain(enough, list);
        Assert.DoesNotContain(unwatched, list);

        var batch = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={enough},{low},{Guid.CreateVersion7()}"))!["items"]!.AsArray();
        Assert.Equal(2, batch.Count);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory?productIds=x")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory?limit=0")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync("/api/inventory?cursor=x")).StatusCode);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gaps()
    {
        var products = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            products.Add(await _app.StockAsync(i));
        }

        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/inventory?limit=2{(cursor is null ? "" : "&cursor=" + cursor)}"))!;
            seen.AddRange(page["items"]!.AsArray().Select(i => (Guid)i!["productId"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.All(products, product => Assert.Contains(product, seen));
    }

    [Fact]
    public async Task A_change_is_published_with_its_crossing_of_the_threshold()
    {
        var product = await _app.StockAsync(12, threshold: 10);
        (await _http.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -2, reason = "damaged" })).EnsureSuccessStatusCode();
        var events = await _app.Kafka.ReadAsync("inventory.updated", product.ToString(), seen => seen.Count >= 2);
        Assert.Equal("entered", events[1].Json.GetProperty("lowStock").GetString());
        Assert.Equal("2", events[1].Headers["ce_aggregateversion"]);
        Assert.Equal("inventory.updated.v1", events[1].Headers["ce_type"]);
    }

    [Theory]
    [InlineData("adjustments", """{"delta": -2, "reason": "damaged"}""", 201)]
    [InlineData("stocktakes", """{"expectedOnHand": 10, "onHand": 8, "reason": "count"}""", 201)]
    [InlineData("transfers", """{"from": "default", "to": "store", "quantity": 2, "reason": "rebalancing"}""", 201)]
    [InlineData("rebuild", null, 200)]
    [InlineData("rebuild?dryRun=true", null, 200)]
    public async Task An_action_needs_no_If_Match_and_honours_it(string action, string? body, int status)
    {
        var store = await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "store", name = "Store" });
        Assert.True(store.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict);
        var product = await _app.StockAsync(10);
        (await PutAsync(product, new { onHand = 10, lowStockThreshold = 1 }, "\"1\"")).EnsureSuccessStatusCode();
        Task<HttpResponseMessage> PostAsync(string? ifMatch) =>
            _http.SendAsync(HttpMethod.Post, $"/api/inventory/{product}/{action}", body is null ? null : JsonNode.Parse(body), ifMatch);

        var stale = await PostAsync("\"1\"");
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(2, (int)(await stale.BodyAsync())["version"]!);
        Assert.Equal(2, (int)(await _app.LevelAsync(product))["version"]!);
        Assert.Equal(status, (int)(await PostAsync("\"2\"")).StatusCode);
        (await PutAsync(product, new { onHand = 10 }, "*")).EnsureSuccessStatusCode();
        Assert.Equal(status, (int)(await PostAsync(null)).StatusCode);
    }

    [Theory]
    [InlineData("PUT", "{0}")]
    [InlineData("POST", "{0}/adjustments")]
    [InlineData("POST", "{0}/stocktakes")]
    [InlineData("POST", "{0}/transfers")]
    [InlineData("POST", "check")]
    [InlineData("POST", "holds")]
    [InlineData("PUT", "holds/{0}")]
    [InlineData("POST", "holds/{0}/extend")]
    [InlineData("POST", "locations")]
    [InlineData("PUT", "locations/default")]
    [InlineData("PATCH", "locations/default")]
    public async Task A_body_that_is_too_large_is_413_and_one_that_is_no_JSON_is_415(string method, string path)
    {
        async Task RefusedAsync(HttpContent content, HttpStatusCode status, string type)
        {
            var uri = "/api/inventory/" + string.Format(System.Globalization.CultureInfo.InvariantCulture, path, Guid.CreateVersion7());
            using var request = new HttpRequestMessage(new(method), uri) { Content = content };
            request.Headers.TryAddWithoutValidation("If-Match", "*");
            // The refusal does not wait for the body; a client that is still sending might find the connection closed before it reads the answer.
            request.Headers.ExpectContinue = true;
            var response = await _http.SendAsync(request);
            Assert.Equal((status, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.Equal(type, (string?)(await response.BodyAsync())["type"]);
        }

        var json = method == "PATCH" ? "application/merge-patch+json" : "application/json";
        await RefusedAsync(
            new StringContent($$"""{"reason": "{{new string('x', 1024 * 1024)}}"}""", Encoding.UTF8, json), HttpStatusCode.RequestEntityTooLarge, "/problems/body-too-large");
        await RefusedAsync(new StringContent("onHand=3", Encoding.UTF8, "text/plain"), HttpStatusCode.UnsupportedMediaType, "/problems/unsupported-media-type");
    }
}
