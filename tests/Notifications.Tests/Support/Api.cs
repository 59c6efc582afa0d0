using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace OrderInventory.Notifications.Tests.Support;

internal static class Api
{
    public static async Task<HttpResponseMessage> SendAsync(
        this HttpClient http, HttpMethod method, string path, string? body = null, string? ifMatch = null, string? key = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, type);
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

    public static async Task<JsonNode> ReadAsync(this HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>())!;

    /// <summary>Creates a resource, and fails with the response if it is not 201.</summary>
    public static async Task<JsonNode> CreateAsync(this HttpClient http, string path, string body)
    {
        var response = await http.SendAsync(HttpMethod.Post, path, body);
        Assert.True((int)response.StatusCode == 201, await response.Content.ReadAsStringAsync());
        return await response.ReadAsync();
    }
}
