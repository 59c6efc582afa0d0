using System.Net;
using System.Net.Http.Json;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class ReturnGoodsTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    private Task<HttpResponseMessage> ReturnAsync(Guid order, Guid product, int quantity, string? key = null, bool restock = true)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/orders/{order}/returns")
        {
            Content = JsonContent.Create(new { lines = new[] { new { productId = product, quantity } }, restock }),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return _http.SendAsync(request);
    }

    [Fact]
    public async Task A_return_changes_no_status_and_publishes_the_returned_goods()
    {
        var (id, product) = await _app.ShippedAsync();
        var answer = await ReturnAsync(id, product, 2);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var order = await OrdersApp.BodyAsync(answer);
        Assert.Equal(("shipped", 4L), ((string?)order["status"], (long)order["version"]!));
        Assert.Equal(2, (int)order["returns"]![0]!["lines"]![0]!["quantity"]!);
        var updated = (await _app.Kafka.ReadAsync("order.updated", id.ToString(), seen => seen.Count == 3))[2].Json;
        Assert.Equal("shipped", updated.GetProperty("previousStatus").GetString());
        Assert.True(updated.GetProperty("return").GetProperty("restock").GetBoolean());
        Assert.Equal(2, updated.GetProperty("return").GetProperty("lines")[0].GetProperty("quantity").GetInt32());
    }

    [Fact]
    public async Task More_than_was_shipped_is_409_over_all_returns_together()
    {
        var (id, product) = await _app.ShippedAsync();
        Assert.Equal(HttpStatusCode.Created, (await ReturnAsync(id, product, 2, restock: false)).StatusCode);
        var refused = await ReturnAsync(id, product, 2);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var problem = await OrdersApp.BodyAsync(refused);
        Assert.EndsWith("return-exceeds-shipped", (string?)problem["type"], StringComparison.Ordinal);
        Assert.Equal((2, 1), ((int)problem["lines"]![0]!["requested"]!, (int)problem["lines"]![0]!["returnable"]!));
        Assert.Equal(4, (int)(await _app.OrderAsync(id))["version"]!);
    }

    [Fact]
    public async Task Before_shipping_it_is_409_and_of_another_product_422()
    {
        var (confirmed, product) = await _app.ConfirmedAsync();
        Assert.Equal(HttpStatusCode.Conflict, (await ReturnAsync(confirmed, product, 1)).StatusCode);
        var (shipped, _) = await _app.ShippedAsync();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ReturnAsync(shipped, Guid.CreateVersion7(), 1)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await ReturnAsync(Guid.CreateVersion7(), product, 1)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await ReturnAsync(shipped, product, 0)).StatusCode);
    }

    [Fact]
    public async Task The_same_key_returns_once_and_a_refused_request_leaves_no_key()
    {
        var (id, product) = await _app.ShippedAsync();
        Assert.Equal(HttpStatusCode.Conflict, (await ReturnAsync(id, product, 4, "one")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await ReturnAsync(id, product, 1, "one")).StatusCode);
        var again = await ReturnAsync(id, product, 1, "one");
        Assert.Equal((HttpStatusCode.Created, "true"), (again.StatusCode, again.Headers.GetValues("Idempotency-Replayed").Single()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ReturnAsync(id, product, 2, "one")).StatusCode);
        Assert.Single((await _app.OrderAsync(id))["returns"]!.AsArray());
    }
}
