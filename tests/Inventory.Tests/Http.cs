using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Shortcuts for what many tests do.</summary>
internal static class Http
{
    public static async Task<HttpResponseMessage> SendAsync(this HttpClient http, HttpMethod method, string path, object? body = null, string? ifMatch = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = method == HttpMethod.Patch
                ? JsonContent.Create(body, mediaType: new("application/merge-patch+json"))
                : JsonContent.Create(body);
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await http.SendAsync(request);
    }

    public static async Task<JsonNode> BodyAsync(this HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>())!;

    public static Task<Guid> CreateAsync(this InventoryApp app, Guid order, Guid? hold, params (Guid Product, int Quantity)[] lines) =>
        app.Kafka.PublishAsync("order.created", "order.created.v1", order.ToString(), InventoryApp.Json(InventoryApp.Created(order, hold, lines)));

    public static Task<Guid> UpdateAsync(this InventoryApp app, Guid order, long version, string status, params (Guid Product, int Quantity)[] lines) =>
        app.Kafka.PublishAsync("order.updated", "order.updated.v1", order.ToString(), InventoryApp.Json(InventoryApp.Updated(order, version, status, lines)));

    public static async Task WaitForOutcomeAsync(this InventoryApp app, Guid order, string outcome, long? version = null)
    {
        using var http = app.CreateClient();
        string? last = null;
        await Eventually.TrueAsync(
            async () =>
            {
                var response = await http.GetAsync($"/api/inventory/reservations/{order}");
                var body = response.IsSuccessStatusCode ? await response.BodyAsync() : null;
                last = (string?)body?["outcome"];
                return last == outcome && (version is null || (long)body!["orderVersion"]! == version);
            },
            TimeSpan.FromSeconds(30),
            $"the reservation is {outcome}");
    }
}
