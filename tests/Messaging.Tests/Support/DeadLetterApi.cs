using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Messaging.Tests;

/// <summary>The operator's requests.</summary>
internal static class DeadLetterApi
{
    public const string Path = "/api/things/dead-letters";

    internal sealed record Page(IReadOnlyList<DeadLetterEndpoints.Item> Items, string? Next);

    public static async Task<Page> ListAsync(HttpClient client, string query = "")
        => (await client.GetFromJsonAsync<Page>(Path + query, JsonSerializerOptions.Web))!;

    public static async Task ReplayAsync(HttpClient client, Guid id)
    {
        using var response = await client.PostAsync($"{Path}/{id}/replay", null);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }
}
