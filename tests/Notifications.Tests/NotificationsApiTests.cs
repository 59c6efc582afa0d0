using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Tests.Support;

namespace OrderInventory.Notifications.Tests;

[Collection(nameof(InfrastructureCollection))]
public sealed class NotificationsApiTests(RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private readonly NotificationsApp _app = running.App;

    [Fact]
    public async Task Lists_newest_first_in_pages()
    {
        var customer = running.Customers.Add();
        foreach (var status in new[] { OrderStatus.Confirmed, OrderStatus.Shipped, OrderStatus.Delivered })
        {
            await _app.PublishAsync(Events.Updated(customer, status));
            await _app.ListAsync($"customerId={customer}", (int)status == (int)OrderStatus.Confirmed ? 1 : (int)status == (int)OrderStatus.Shipped ? 2 : 3);
        }

        var first = await PageAsync($"customerId={customer}&limit=2");
        var second = await PageAsync($"customerId={customer}&limit=2&cursor={first["next"]}");

        Assert.Equal(["orderDelivered", "orderShipped"], first["items"]!.AsArray().Select(i => (string?)i!["template"]));
        Assert.Equal(["orderConfirmed"], second["items"]!.AsArray().Select(i => (string?)i!["template"]));
        Assert.Null(second["next"]);
    }

    [Theory]
    [InlineData("status=1")]
    [InlineData("status=Sent")]
    [InlineData("status=sent,failed")]
    [InlineData("channel=pigeon")]
    [InlineData("channel=Email")]
    [InlineData("createdFrom=yesterday")]
    [InlineData("orderId=7")]
    [InlineData("limit=0")]
    [InlineData("limit=101")]
    [InlineData("cursor=x")]
    public async Task Refuses_a_query_that_it_cannot_read(string query)
    {
        var response = await _app.Http.GetAsync($"/api/notifications?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("/problems/malformed-request", (string?)(await response.Content.ReadFromJsonAsync<JsonNode>())!["type"]);
    }

    [Fact]
    public async Task Filters_by_channel_template_and_time()
    {
        var order = Events.Created(running.Customers.Add());
        await _app.PublishAsync(order);
        var item = (await _app.ListAsync($"orderId={order.OrderId}")).Single();
        var at = (DateTimeOffset)item["createdAt"]!;
        async Task<int> CountAsync(string filter) => (await _app.ListNowAsync($"orderId={order.OrderId}&{filter}")).Count;
        string Time(double seconds) => Uri.EscapeDataString(at.AddSeconds(seconds).ToOffset(TimeSpan.FromHours(2)).ToString("O"));

        Assert.Equal(new[] { 1, 0, 0 }, new[] { await CountAsync("channel=email"), await CountAsync("channel=sms"), await CountAsync("channel=webhook") });
        Assert.Equal(new[] { 1, 0 }, new[] { await CountAsync("template=orderReceived"), await CountAsync("template=orderShipped") });
        Assert.Equal(new[] { 1, 1, 0 }, new[] { await CountAsync($"createdFrom={Time(-1)}"), await CountAsync($"createdFrom={Time(0)}"), await CountAsync($"createdFrom={Time(1)}") });
        Assert.Equal(new[] { 1, 0, 0 }, new[] { await CountAsync($"createdTo={Time(1)}"), await CountAsync($"createdTo={Time(0)}"), await CountAsync($"createdTo={Time(-1)}") });
        Assert.Equal(1, await CountAsync("createdFrom=0001-01-01T00:00:00Z&createdTo=9999-12-31T23:59:59Z"));
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_and_answers()
    {
        var paths = (await _app.Http.GetFromJsonAsync<JsonNode>("/openapi/v1.json"))!["paths"]!.AsObject();

        foreach (var (path, operations) in paths.Where(p => p.Key.StartsWith("/api/notifications", StringComparison.Ordinal) && !p.Key.Contains("dead-letters", StringComparison.Ordinal)))
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var statuses = operation!["responses"]!.AsObject().Select(r => r.Key).ToList();
                Assert.True(operation["summary"] is not null, $"{method} {path} has no summary");
                Assert.Contains("503", statuses);
                Assert.Contains(statuses, s => s[0] == '2');
                Assert.True(!path.Contains('{', StringComparison.Ordinal) || statuses.Contains("404"), $"{method} {path} has no 404");
                Assert.True(operation["requestBody"] is null || statuses.Contains("415"), $"{method} {path} has no 415");
            }
        }

        Assert.Equal(17, paths.Count(p => p.Key.StartsWith("/api/notifications", StringComparison.Ordinal) && !p.Key.Contains("dead-letters", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Resending_what_does_not_exist_is_404() =>
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.PostAsync($"/api/notifications/{Guid.CreateVersion7()}/resend", null)).StatusCode);

    [Fact]
    public async Task Resending_what_was_sent_sends_the_same_notification_again()
    {
        var order = Events.Created(running.Customers.Add());
        await _app.PublishAsync(order);
        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();

        (await _app.Http.PostAsync($"/api/notifications/{item["id"]}/resend", null)).EnsureSuccessStatusCode();

        var again = (await _app.ListAsync($"orderId={order.OrderId}&status=sent", each: i => (int?)i["attempts"] == 2)).Single();
        Assert.Equal((string?)item["id"], (string?)again["id"]);
    }

    [Fact]
    public async Task Many_are_resent_by_id_or_by_filter_and_the_rest_is_named()
    {
        var order = Events.Created(running.Customers.Add());
        await _app.PublishAsync(order);
        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        var unknown = Guid.CreateVersion7();
        async Task<JsonNode> ResendAsync(object request) =>
            (await (await _app.Http.PostAsJsonAsync("/api/notifications/resend", request)).EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;

        var named = await ResendAsync(new { ids = new[] { (Guid)item["id"]!, unknown } });

        Assert.Equal((1, unknown), ((int)named["resent"]!, (Guid)named["refused"]!.AsArray().Single()!));
        await _app.ListAsync($"orderId={order.OrderId}&status=sent", each: i => (int?)i["attempts"] == 2);
        // A filter sends only failed messages again.
        var filtered = await ResendAsync(new { template = "orderReceived", createdFrom = item["createdAt"], createdTo = ((DateTimeOffset)item["createdAt"]!).AddMilliseconds(1) });
        Assert.Equal((0, 0), ((int)filtered["resent"]!, filtered["refused"]!.AsArray().Count));
        // Nobody can send everything again by accident.
        foreach (var unclear in new object[] { new { ids = Array.Empty<Guid>() }, new { }, new { all = false }, new { limit = 5 }, new { ids = new[] { unknown }, template = "orderReceived" }, new { all = true, channel = "email" }, new { template = "bogus" }, new { channel = "Email" }, new { createdTo = "2026-11-28" } })
        {
            Assert.Equal((unclear.ToString(), HttpStatusCode.BadRequest), (unclear.ToString(), (await _app.Http.PostAsJsonAsync("/api/notifications/resend", unclear)).StatusCode));
        }

        Assert.True((int)(await ResendAsync(new { all = true, limit = 1 }))["resent"]! <= 1);
        var counts = (await _app.Http.GetFromJsonAsync<JsonNode>("/api/notifications/counts"))!;
        Assert.True((int)counts["counts"]!["sent"]! > 0 && (bool)counts["isComplete"]!);
        Assert.Equal(0, (int)(await _app.Http.GetFromJsonAsync<JsonNode>("/api/notifications/counts?createdFrom=2100-01-01T00:00:00Z"))!["total"]!);
        Assert.Equal(0, (int)(await _app.Http.GetFromJsonAsync<JsonNode>("/api/notifications/outbox"))!["lagSeconds"]!);
    }

    [Fact]
    public async Task Describes_itself()
    {
        var document = await _app.Http.GetFromJsonAsync<JsonNode>("/openapi/v1.json");

        var list = document!["paths"]!["/api/notifications"]!["get"]!;
        Assert.NotNull(list["summary"]);
        Assert.NotNull(list["responses"]!["200"]);
        Assert.NotNull(list["responses"]!["400"]);
        var resend = document["paths"]!["/api/notifications/{id}/resend"]!["post"]!;
        Assert.NotNull(resend["responses"]!["202"]);
        Assert.NotNull(resend["responses"]!["404"]);
        Assert.NotNull(document["paths"]!["/api/notifications/dead-letters"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("localhost:25")]
    [InlineData("http://localhost")]
    [InlineData("file://relative/folder")]
    public void A_mail_setting_that_is_missing_or_unclear_is_an_error_at_start(string? mail)
    {
        var error = Assert.Throws<InvalidOperationException>(() => EmailTransports.Create(mail));

        Assert.Contains("ConnectionStrings:mail", error.Message, StringComparison.Ordinal);
    }

    private async Task<JsonNode> PageAsync(string query) => (await _app.Http.GetFromJsonAsync<JsonNode>($"/api/notifications?{query}"))!;
}
