using System.Net;
using System.Net.Http.Json;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>POST actions need no If-Match, but honour it when it is sent.</summary>
[Collection(OrdersCollection.Name)]
public sealed class IfMatchTests(InfrastructureFixture infrastructure)
{
    [Theory]
    [InlineData("cancel", 2, HttpStatusCode.Accepted)]
    [InlineData("ship", 2, HttpStatusCode.OK)]
    [InlineData("deliver", 3, HttpStatusCode.OK)]
    [InlineData("returns", 3, HttpStatusCode.Created)]
    public async Task A_stale_version_is_412_and_changes_nothing_and_the_current_one_succeeds(string action, int current, HttpStatusCode expected)
    {
        await using var app = await OrdersApp.StartAsync(infrastructure);
        using var http = app.CreateClient();
        var (id, product) = current == 2 ? await app.ConfirmedAsync() : await app.ShippedAsync();
        Task<HttpResponseMessage> SendAsync(int version)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"/api/orders/{id}/{action}")
            {
                Content = action switch
                {
                    "deliver" => null,
                    "returns" => JsonContent.Create(new { lines = new[] { new { productId = product, quantity = 1 } } }),
                    _ => JsonContent.Create(new { }),
                },
            };
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
            return http.SendAsync(request);
        }

        var stale = await SendAsync(current - 1);
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(current, (int)(await OrdersApp.BodyAsync(stale))["version"]!);
        Assert.Equal(current, (int)(await app.OrderAsync(id))["version"]!);
        var changed = await SendAsync(current);
        Assert.Equal((expected, $"\"{current + 1}\""), (changed.StatusCode, changed.Headers.ETag!.Tag));
    }
}
