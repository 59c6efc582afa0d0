using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>A customer sees their own holds and what is available, and no other quantity.</summary>
[Collection(InventoryCollection.Name)]
public sealed class OwnHoldsTests(SharedInventory shared) : IClassFixture<SharedInventory>, IAsyncLifetime
{
    private readonly Guid _own = Guid.CreateVersion7();
    private readonly Guid _other = Guid.CreateVersion7();
    private readonly Guid _product = Guid.CreateVersion7();
    private readonly InventoryApp _app = shared.App;
    private HttpClient _staff = null!;

    public async Task InitializeAsync()
    {
        await shared.EmptyAsync();
        _staff = _app.CreateClient();
        (await _staff.PutAsJsonAsync($"/api/inventory/{_product}", new { onHand = 100, lowStockThreshold = 7 })).EnsureSuccessStatusCode();
    }

    public Task DisposeAsync()
    {
        _staff.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_matrix_matches_the_document()
    {
        using var http = As(null);
        var holds = new Dictionary<Guid, Guid> { [_own] = await HoldAsync(_own, 1), [_other] = await HoldAsync(_other, 1) };

        await new AuthorizationMatrix("inventory", http).CheckAsync(_own, _other, (method, path, customer) => Task.FromResult(
            path.StartsWith("/api/inventory/holds/{id}", StringComparison.Ordinal)
                ? new OwnedRequest(path.Replace("{id}", holds[customer].ToString(), StringComparison.Ordinal), method == "PUT" ? $$"""{"lines": [{"productId": "{{_product}}", "quantity": 1}]}""" : "{}")
                : null), "GET /internal/inventory/orders-at");
    }

    [Fact]
    public async Task Another_customers_hold_is_answered_like_a_missing_one()
    {
        var (foreign, missing) = (await HoldAsync(_other, 3), Guid.CreateVersion7());
        using var customer = As(TestAuthority.Shared.CustomerToken(_own));
        var lines = new { lines = new[] { new { productId = _product, quantity = 1 } } };

        foreach (var send in new Func<Guid, HttpRequestMessage>[]
        {
            id => new(HttpMethod.Get, $"/api/inventory/holds/{id}"),
            id => new(HttpMethod.Put, $"/api/inventory/holds/{id}") { Content = JsonContent.Create(lines) },
            id => new(HttpMethod.Post, $"/api/inventory/holds/{id}/extend") { Content = JsonContent.Create(new { ttlSeconds = 10 }) },
            id => new(HttpMethod.Delete, $"/api/inventory/holds/{id}"),
        })
        {
            var (one, two) = (await NormalizedAsync(customer, send(missing), missing), await NormalizedAsync(customer, send(foreign), foreign));
            Assert.Equal(one, two);
            Assert.StartsWith("NotFound", two, StringComparison.Ordinal);
        }

        Assert.Equal("live", (string?)(await _staff.GetFromJsonAsync<JsonNode>($"/api/inventory/holds/{foreign}"))!["status"]);
    }

    [Fact]
    public async Task Another_customers_hold_is_available_to_nobody_else()
    {
        var foreign = await HoldAsync(_other, 90);
        using var customer = As(TestAuthority.Shared.CustomerToken(_own));

        // Whether or not the hold is named, and whatever customer the body states, 10 units are available.
        foreach (var body in new object[]
        {
            new { lines = Wanted(50), holdId = foreign }, new { lines = Wanted(50), holdId = foreign, customerId = _other }, new { lines = Wanted(50) },
        })
        {
            using var answer = await customer.PostAsJsonAsync("/api/inventory/check", body);
            Assert.Equal(10, (long)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["lines"]![0]!["available"]!);
        }

        using var theirs = As(TestAuthority.Shared.CustomerToken(_other));
        using var own = await theirs.PostAsJsonAsync("/api/inventory/check", new { lines = Wanted(50), holdId = foreign });
        Assert.Equal(100, (long)(await own.Content.ReadFromJsonAsync<JsonNode>())!["lines"]![0]!["available"]!);
        using var asked = await _staff.PostAsJsonAsync("/api/inventory/check", new { lines = Wanted(50), holdId = foreign, customerId = _own });
        Assert.Equal(10, (long)(await asked.Content.ReadFromJsonAsync<JsonNode>())!["lines"]![0]!["available"]!);
    }

    [Fact]
    public async Task A_customer_sees_only_the_available_quantity()
    {
        using var customer = As(TestAuthority.Shared.CustomerToken(_own));

        var one = (await customer.GetFromJsonAsync<JsonObject>($"/api/inventory/{_product}"))!;
        var listed = (await customer.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={_product}"))!["items"]![0]!.AsObject();

        foreach (var level in new[] { one, listed })
        {
            Assert.Equal(["productId", "available", "version", "updatedAt"], level.Select(member => member.Key));
            Assert.Equal(100, (long)level["available"]!);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await customer.GetAsync("/api/inventory?lowStock=true")).StatusCode);
        Assert.Equal(7, (long)(await _staff.GetFromJsonAsync<JsonNode>($"/api/inventory/{_product}"))!["lowStockThreshold"]!);
    }

    [Fact]
    public async Task A_customer_sees_as_available_what_can_be_ordered_and_staff_see_everything()
    {
        using var customer = As(TestAuthority.Shared.CustomerToken(_own));
        (await _staff.PostAsJsonAsync("/api/inventory/locations", new { code = "attic", name = "Attic" })).EnsureSuccessStatusCode();
        foreach (var body in new object[] { new { delta = 3, reason = "delivery", location = "attic" }, new { delta = -100, reason = "damaged" } })
        {
            (await _staff.PostAsJsonAsync($"/api/inventory/{_product}/adjustments", body)).EnsureSuccessStatusCode();
        }

        Assert.Equal("3 \"3\"", await ReadAsync("\"2\""));
        foreach (var (active, available, etag, empty) in new[] { (false, 0, "\"3-0\"", true), (true, 3, "\"3\"", false) })
        {
            var location = await _staff.GetAsync("/api/inventory/locations/attic");
            (await _staff.SendAsync(HttpMethod.Patch, "/api/inventory/locations/attic", new { active }, location.Headers.ETag!.Tag)).EnsureSuccessStatusCode();

            // What the customer has read before is not confirmed as unchanged, and a check agrees.
            Assert.Equal($"{available} {etag}", await ReadAsync(active ? "\"3-0\"" : "\"3\""));
            Assert.Equal("NotModified", await ReadAsync(etag));
            using var check = await customer.PostAsJsonAsync("/api/inventory/check", new { lines = Wanted(1) });
            Assert.Equal(available, (int)(await check.BodyAsync())["lines"]![0]!["available"]!);
            var found = (await customer.GetFromJsonAsync<JsonNode>("/api/inventory?outOfStock=true"))!["items"]!.AsArray();
            Assert.Equal(empty ? [(_product, 0)] : [], found.Select(item => ((Guid)item!["productId"]!, (int)item["available"]!)));

            Assert.Equal(3, (int)(await _app.LevelAsync(_product))["available"]!);
            Assert.Empty((await _staff.GetFromJsonAsync<JsonNode>("/api/inventory?outOfStock=true"))!["items"]!.AsArray());
        }

        async Task<string> ReadAsync(string ifNoneMatch)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/inventory/{_product}");
            request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
            using var answer = await customer.SendAsync(request);
            return answer.IsSuccessStatusCode ? $"{(await answer.BodyAsync())["available"]} {answer.Headers.ETag}" : answer.StatusCode.ToString();
        }
    }

    [Fact]
    public async Task The_ledger_records_who_made_each_change()
    {
        using var clerk = As(TestAuthority.Shared.Token("eve@example.com", ["inventory-manager"]));
        (await clerk.PostAsJsonAsync($"/api/inventory/{_product}/adjustments", new { delta = -2, reason = "damaged" })).EnsureSuccessStatusCode();
        await HoldAsync(_own, 1);

        var items = (await clerk.GetFromJsonAsync<JsonNode>($"/api/inventory/{_product}/movements"))!["items"]!.AsArray();

        Assert.Equal(
            [("held", $"customer:{_own}", "customer"), ("adjusted", "eve@example.com", "inventory-manager"), ("set", "tester", "admin")],
            items.Select(item => ((string)item!["kind"]!, (string)item["sub"]!, (string)item["role"]!)));
    }

    private object[] Wanted(int quantity) => [new { productId = _product, quantity }];

    private HttpClient As(string? token)
    {
        var client = _app.CreateClient();
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private async Task<Guid> HoldAsync(Guid customer, int quantity)
    {
        using var client = As(TestAuthority.Shared.CustomerToken(customer));
        using var answer = await client.PostAsJsonAsync("/api/inventory/holds", new { lines = Wanted(quantity), ttlSeconds = 600 });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (Guid)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    private static async Task<string> NormalizedAsync(HttpClient client, HttpRequestMessage request, Guid id)
    {
        using var answer = await client.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        return $"{answer.StatusCode} {answer.Headers.ETag} {body.Replace(id.ToString(), "ID", StringComparison.Ordinal).Replace((string)JsonNode.Parse(body)!["traceId"]!, "TRACE", StringComparison.Ordinal)}";
    }
}
