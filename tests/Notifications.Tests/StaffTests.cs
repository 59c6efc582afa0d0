using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Managing staff by API, and the messages that staff get.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class StaffTests(StaffTests.Running running) : IClassFixture<StaffTests.Running>
{
    private const string Staff = "/api/notifications/staff";

    private readonly NotificationsApp _app = running.App;

    public sealed class Running(InfrastructureFixture infrastructure) : IAsyncLifetime
    {
        internal DirectoryInfo Pickup { get; } = Directory.CreateTempSubdirectory("pickup-");
        internal CustomersServer Customers { get; } = new();
        internal SmsProvider Provider { get; private set; } = null!;
        internal NotificationsApp App { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Customers.StartAsync();
            Provider = await SmsProvider.StartAsync();
            App = await NotificationsApp.StartAsync(
                infrastructure, $"file://{Pickup.FullName}", Customers, new() { ["Notifications:Sms:Url"] = Provider.Url, ["Notifications:MaxAttempts"] = "4" });
        }

        public async Task DisposeAsync()
        {
            await App.DisposeAsync();
            await Provider.DisposeAsync();
            await Customers.DisposeAsync();
            Pickup.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Is_created_read_changed_and_deleted()
    {
        var key = Guid.CreateVersion7().ToString();
        const string Body = """{"name":"Janet","email":"janet@example.com","channels":{"email":true},"events":["lowStock"],"language":"de"}""";
        var made = await _app.Http.SendAsync(HttpMethod.Post, Staff, Body, key: key);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var member = await made.ReadAsync();
        Assert.Equal($"{Staff}/{member["id"]}", made.Headers.Location?.ToString());
        Assert.False((bool?)member["channels"]!["sms"]);
        var again = await (await _app.Http.SendAsync(HttpMethod.Post, Staff, Body, key: key)).ReadAsync();
        Assert.Equal((string?)member["id"], (string?)again["id"]);
        var at = $"{Staff}/{member["id"]}";
        Assert.Equal("Janet", (string?)(await (await _app.Http.GetAsync(at)).ReadAsync())["name"]);
        Assert.Contains(
            (await (await _app.Http.GetAsync($"{Staff}?limit=100")).ReadAsync())["items"]!.AsArray(), i => (string?)i!["id"] == (string?)member["id"]);

        const string Changed = """{"name":"Janet","email":"janet@example.org","channels":{"email":true},"events":[]}""";
        Assert.Equal(428, (int)(await _app.Http.SendAsync(HttpMethod.Put, at, Changed)).StatusCode);
        Assert.Equal(412, (int)(await _app.Http.SendAsync(HttpMethod.Put, at, Changed, "\"4\"")).StatusCode);
        var put = await _app.Http.SendAsync(HttpMethod.Put, at, Changed, "\"1\"");
        Assert.Equal("\"2\"", put.Headers.ETag?.Tag);
        Assert.Equal("de", (string?)(await put.ReadAsync())["language"]);
        Assert.Equal(428, (int)(await _app.Http.SendAsync(HttpMethod.Delete, at)).StatusCode);
        Assert.Equal(204, (int)(await _app.Http.SendAsync(HttpMethod.Delete, at, ifMatch: "\"2\"")).StatusCode);
        Assert.Equal(404, (int)(await _app.Http.GetAsync(at)).StatusCode);
        Assert.Equal(404, (int)(await _app.Http.SendAsync(HttpMethod.Put, at, Changed, "\"2\"")).StatusCode);
    }

    [Theory]
    [InlineData("""{"name":"","email":"a@b","channels":{"email":true},"events":[]}""", "$.name")]
    [InlineData("""{"name":"A","channels":{"email":true},"events":[]}""", "$.email")]
    [InlineData("""{"name":"A","email":"a@b, c@d","channels":{"email":true},"events":[]}""", "$.email")]
    [InlineData("""{"name":"A","channels":{"email":false,"sms":true},"events":[]}""", "$.phone")]
    [InlineData("""{"name":"A","phone":"none","channels":{"email":false,"sms":true},"events":[]}""", "$.phone")]
    [InlineData("""{"name":"A","channels":{"email":false},"events":["orderShipped"]}""", "$.events[0]")]
    [InlineData("""{"name":"A","channels":{"email":false},"events":[],"language":"x_y"}""", "$.language")]
    [InlineData("""{"name":"A","channels":{"email":false},"events":[],"role":"boss"}""", "$.role")]
    public async Task Refuses_invalid_members(string body, string path)
    {
        var response = await _app.Http.SendAsync(HttpMethod.Post, Staff, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(path, (await response.ReadAsync())["errors"]!.AsObject().Select(e => e.Key));
    }

    [Fact]
    public async Task Is_notified_of_low_stock_on_the_channels_and_in_the_language_of_each()
    {
        var janet = await _app.Http.CreateAsync(
            Staff, """{"name":"Janet","email":"janet@example.com","phone":"+49 30 555","channels":{"email":true,"sms":true},"events":["lowStock","lowStockLeft"],"language":"de"}""");
        var steven = await _app.Http.CreateAsync(
            Staff, """{"name":"Steven","email":"steven@example.com","channels":{"email":true},"events":["lowStock"]}""");
        var low = Events.Stock(LowStockCrossing.Entered);

        var entered = await _app.PublishAsync(low);
        var left = await _app.PublishAsync(Events.Stock(LowStockCrossing.Left));

        var notifications = await NotificationsAsync(entered, 4);
        Assert.Equal(
            new[] { $"email {janet["id"]}", $"sms {janet["id"]}", $"email {steven["id"]}", "email inventory-manager" }.Order(),
            notifications.Select(i => $"{i["channel"]} {i["recipient"]}").Order());
        Assert.Equal(
            new[] { $"email {janet["id"]}", $"sms {janet["id"]}" }.Order(), (await NotificationsAsync(left, 2)).Select(i => $"{i["channel"]} {i["recipient"]}").Order());
        Assert.Contains("Niedriger Bestand: Produkt " + low.ProductId, await _app.QueryAsync<string>("SELECT subject FROM notifications WHERE recipient_ref = $1 AND event_id = $2 AND channel = 'email'", (string)janet["id"]!, entered), StringComparison.Ordinal);
        Assert.Equal("en", (string?)notifications.Single(i => (string?)i["recipient"] == (string?)steven["id"])["templateLanguage"]);
        var mail = MimeKit.MimeMessage.Load(Path.Combine(running.Pickup.FullName, $"{notifications.Single(i => (string?)i["recipient"] == (string?)steven["id"])["id"]}.eml"));
        Assert.Equal("steven@example.com", mail.To.ToString());
        Assert.Contains(running.Provider.Messages, m => (string?)m.Body["to"] == "+49 30 555");

        // The addresses are deleted with the member, also in the history.
        foreach (var member in new[] { janet, steven })
        {
            (await _app.Http.SendAsync(HttpMethod.Delete, $"{Staff}/{member["id"]}", ifMatch: "\"1\"")).EnsureSuccessStatusCode();
        }

        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE recipient_ref <> 'inventory-manager' AND coalesce(recipient, subject, body) IS NOT NULL"));
    }

    [Fact]
    public async Task A_changed_address_is_used_when_it_is_sent_and_a_deleted_member_gets_nothing()
    {
        running.Provider.Status = 500;
        var body = """{"name":"Nancy","phone":"+49 30 111","channels":{"email":false,"sms":true},"events":["lowStock"]}""";
        var nancy = await _app.Http.CreateAsync(Staff, body);
        var gone = await _app.Http.CreateAsync(Staff, body.Replace("111", "222", StringComparison.Ordinal));
        var eventId = await _app.PublishAsync(Events.Stock(LowStockCrossing.Entered));
        await Wait.UntilAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE event_id = $1 AND channel = 'sms' AND status = 'failed'", eventId), n => n == 2);

        (await _app.Http.SendAsync(HttpMethod.Put, $"{Staff}/{nancy["id"]}", body.Replace("111", "999", StringComparison.Ordinal), "\"1\"")).EnsureSuccessStatusCode();
        (await _app.Http.SendAsync(HttpMethod.Delete, $"{Staff}/{gone["id"]}", ifMatch: "\"1\"")).EnsureSuccessStatusCode();
        running.Provider.Status = 202;
        foreach (var item in (await _app.ListNowAsync("channel=sms&template=lowStock")).Where(i => (string?)i["eventId"] == eventId.ToString()))
        {
            (await _app.Http.PostAsync($"/api/notifications/{item["id"]}/resend", null)).EnsureSuccessStatusCode();
        }

        await Wait.UntilAsync(() => running.Provider.Messages.Any(m => (string?)m.Body["to"] == "+49 30 999"));
        var failed = await Wait.UntilAsync(
            async () => (await _app.ListNowAsync("channel=sms&status=failed")).Where(i => (string?)i["recipient"] == (string?)gone["id"] && i["lastError"] is not null).ToList(),
            items => items.Count == 1);
        Assert.Equal("The member of staff has been deleted.", (string?)failed.Single()["lastError"]);
        (await _app.Http.SendAsync(HttpMethod.Delete, $"{Staff}/{nancy["id"]}", ifMatch: "\"2\"")).EnsureSuccessStatusCode();
    }

    private Task<List<JsonNode>> NotificationsAsync(Guid eventId, int count) => Wait.UntilAsync(
        async () => (await _app.ListNowAsync("status=sent")).Where(i => (string?)i["eventId"] == eventId.ToString()).ToList(), items => items.Count == count);
}
