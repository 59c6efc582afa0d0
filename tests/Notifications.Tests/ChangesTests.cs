using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Who changed webhooks and templates: one entry for each change that was made, none for what was refused.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class ChangesTests(RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private const string Secret = "a-secret-that-nobody-reads-again";
    private readonly NotificationsApp _app = running.App;

    [Fact]
    public async Task Each_change_of_a_webhook_names_who_made_it()
    {
        var (ada, ben) = (As("ada@example.com"), As("ben@example.com"));
        var key = Guid.CreateVersion7().ToString();
        const string Body = $$"""{"url":"https://receiver.example.com/planted-path","active":false,"secret":"{{Secret}}"}""";
        var made = await ada.SendAsync(HttpMethod.Post, "/api/notifications/webhooks", Body, key: key);
        var at = $"/api/notifications/webhooks/{(await made.ReadAsync())["id"]}";
        // None of these changes anything.
        Assert.Equal("true", (await ada.SendAsync(HttpMethod.Post, "/api/notifications/webhooks", Body, key: key)).Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(412, (int)(await ben.SendAsync(HttpMethod.Patch, at, """{"active":true}""", "\"9\"", type: "application/merge-patch+json")).StatusCode);
        Assert.Equal(400, (int)(await ben.SendAsync(HttpMethod.Patch, at, """{"url":"ftp://example.com"}""", "\"1\"", type: "application/merge-patch+json")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await As("eve@example.com", "support").SendAsync(HttpMethod.Delete, at, ifMatch: "\"1\"")).StatusCode);

        var patched = await ben.SendAsync(HttpMethod.Patch, at, """{"url":"https://receiver.example.com/other"}""", "\"1\"", type: "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        (await ada.SendAsync(HttpMethod.Post, $"{at}/rotate-secret", "{}", "\"2\"")).EnsureSuccessStatusCode();
        (await ben.SendAsync(HttpMethod.Delete, at, ifMatch: "\"3\"")).EnsureSuccessStatusCode();

        var resource = at["/api/notifications/".Length..];
        var (items, text) = await ListAsync(resource);
        Assert.Equal(
            ["ben@example.com admin deleted 3", "ada@example.com admin secretRotated 3", "ben@example.com admin changed 2", "ada@example.com admin created 1"],
            items.Select(i => $"{i!["sub"]} {i["role"]} {i["what"]} {i["version"]}"));
        Assert.All(items, i => Assert.Equal(resource, (string?)i!["resource"]));
        Assert.Equal(items.Select(i => (DateTimeOffset)i!["at"]!).OrderDescending(), items.Select(i => (DateTimeOffset)i!["at"]!));
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain("receiver.example.com", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_version_of_a_template_names_who_wrote_it_page_by_page()
    {
        var ada = As("ada@example.com");
        const string At = "templates/orderCancelled/email/fr";
        foreach (var version in Enumerable.Range(0, 3))
        {
            var put = await ada.SendAsync(
                HttpMethod.Put, $"/api/notifications/{At}", $$"""{"subject":"Annulation {{version}}","body":"Bonjour"}""", version == 0 ? null : $"\"{version}\"");
            Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        }

        var (items, text) = await ListAsync(At);
        Assert.Equal(["changed 3", "changed 2", "created 1"], items.Select(i => $"{i!["what"]} {i["version"]}"));
        Assert.DoesNotContain("Bonjour", text, StringComparison.Ordinal);

        var first = (await (await _app.Http.GetAsync($"/api/notifications/changes?resource={At}&limit=2")).ReadAsync());
        var second = (await (await _app.Http.GetAsync($"/api/notifications/changes?resource={At}&limit=2&cursor={first["next"]}")).ReadAsync());
        Assert.Equal(items.Select(i => (string?)i!["id"]), first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(i => (string?)i!["id"]));
        Assert.Null(second["next"]);
    }

    private async Task<(JsonArray Items, string Text)> ListAsync(string resource)
    {
        var list = await (await _app.Http.GetAsync($"/api/notifications/changes?resource={resource}")).EnsureSuccessStatusCode().ReadAsync();
        return (list["items"]!.AsArray(), list.ToJsonString());
    }

    private HttpClient As(string sub, string role = "admin")
    {
        var http = _app.CreateAnonymousClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", TestAuthority.Shared.Token(sub, [role]));
        return http;
    }
}
