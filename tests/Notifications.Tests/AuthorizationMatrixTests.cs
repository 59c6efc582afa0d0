using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <inheritdoc cref="AuthorizationMatrix"/>
[Collection(nameof(InfrastructureCollection))]
public sealed class AuthorizationMatrixTests(RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private readonly NotificationsApp _app = running.App;

    [Fact]
    public async Task The_matrix_matches_the_document()
    {
        using var http = _app.CreateAnonymousClient();

        await new AuthorizationMatrix("notifications", http).CheckAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), (_, path, customer) => Task.FromResult(
            path is "/api/notifications" or "/api/stream" ? new OwnedRequest($"{path}?customerId={customer}") : null));
    }

    [Fact]
    public async Task A_customer_reads_their_own_messages_only()
    {
        var (own, other) = (running.Customers.Add(), running.Customers.Add());
        var (mine, theirs) = (Events.Created(own), Events.Created(other));
        await _app.PublishAsync(mine);
        await _app.PublishAsync(theirs);
        await _app.ListAsync($"customerId={own}");
        await _app.ListAsync($"customerId={other}");

        var all = await ListAsync(own, "/api/notifications?limit=100");
        Assert.All(all, item => Assert.Equal(own, (Guid)item!["customerId"]!));
        Assert.NotEmpty(all);
        Assert.Empty(await ListAsync(own, $"/api/notifications?orderId={theirs.OrderId}"));
        Assert.Equal(404, (int)(await SendAsync(own, $"/api/notifications?customerId={other}")).StatusCode);
        Assert.Equal(404, (int)(await SendAsync(own, $"/api/notifications?customerId={Guid.CreateVersion7()}")).StatusCode);
    }

    private async Task<JsonArray> ListAsync(Guid customer, string path) => (await (await SendAsync(customer, path)).ReadAsync())["items"]!.AsArray();

    private async Task<HttpResponseMessage> SendAsync(Guid customer, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestAuthority.Shared.CustomerToken(customer));
        return await _app.Http.SendAsync(request);
    }
}
