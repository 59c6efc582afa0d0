using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>What a shop does, through the gateway only.</summary>
internal sealed class Shop(HttpClient gateway)
{
    public async Task<Guid> CustomerAsync(string? email = null)
    {
        var response = await gateway.PostAsJsonAsync("/api/customers", new { name = "Maria Anders", email = email ?? $"maria-{Guid.CreateVersion7():N}@example.com" });
        return await IdAsync(response);
    }

    public async Task<Guid> ProductAsync(long stock, decimal price = 18.00m, string? sku = null, string name = "Chai")
    {
        var response = await gateway.PostAsJsonAsync("/api/products", new
        {
            sku = sku ?? $"TEA-{Guid.CreateVersion7():N}",
            name,
            category = "beverages",
            price = new { amount = price, currency = "EUR" },
        });
        var product = await IdAsync(response);
        (await gateway.PutAsJsonAsync($"/api/inventory/{product}", new { onHand = stock })).EnsureSuccessStatusCode();
        return product;
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> PlaceAsync(Guid customer, params (Guid Product, int Quantity)[] lines)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(new { customerId = customer, lines = lines.Select(l => new { productId = l.Product, quantity = l.Quantity }) }),
        };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        request.Headers.Add("Prefer", "wait=30");
        using var response = await gateway.SendAsync(request);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>())!);
    }

    public async Task<JsonNode> GetAsync(string path) => (await gateway.GetFromJsonAsync<JsonNode>(path))!;

    public async Task<(long OnHand, long Reserved, long Available)> StockAsync(Guid product)
    {
        // A list is read from the database; a single level may be up to 30 s old.
        var level = (await GetAsync($"/api/inventory?productIds={product}"))["items"]![0]!;
        return ((long)level["onHand"]!, (long)level["reserved"]!, (long)level["available"]!);
    }

    public Task WaitForStatusAsync(Guid order, string status) => Eventually.TrueAsync(
        async () => (string?)(await GetAsync($"/api/orders/{order}"))["status"] == status, TimeSpan.FromSeconds(30), $"the order is {status}");

    private static async Task<Guid> IdAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, $"{response.StatusCode}: {body}");
        return (Guid)JsonNode.Parse(body)!["id"]!;
    }
}
