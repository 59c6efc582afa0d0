using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class OpenLinesTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task They_are_what_open_orders_should_hold()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure);
        using var http = app.CreateClient();
        var (confirmed, product) = await app.ConfirmedAsync();
        await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 2), (product, 2)));
        var line = await LineAsync();
        Assert.Equal((3, 4), ((int)line!["quantity"]!, (int)line["pendingQuantity"]!));

        await http.PostAsJsonAsync($"/api/orders/{confirmed}/ship", new { });
        Assert.Equal((0, 4), ((int)(await LineAsync())!["quantity"]!, (int)(await LineAsync())!["pendingQuantity"]!));
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/internal/orders/open-lines?productIds=tea")).StatusCode);

        async Task<JsonNode?> LineAsync() =>
            (await http.GetFromJsonAsync<JsonNode>($"/internal/orders/open-lines?productIds={product},{Guid.CreateVersion7()}"))!["items"]!.AsArray().Single();
    }

    [Fact]
    public async Task A_hold_is_named_to_the_check_and_in_the_event()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure);
        var hold = Guid.CreateVersion7();
        var placed = await app.PlaceAsync(new
        {
            customerId = app.Neighbours.AddCustomer(),
            lines = new[] { new { productId = app.Neighbours.AddProduct(), quantity = 1 } },
            holdId = hold,
        });
        var order = await OrdersApp.BodyAsync(placed);
        Assert.Equal(hold, (Guid)order["holdId"]!);
        Assert.Equal(hold, app.Neighbours.CheckedHolds.Single());
        var created = (await app.Kafka.ReadAsync("order.created", (string)order["id"]!, seen => seen.Count == 1))[0].Json;
        Assert.Equal(hold, created.GetProperty("holdId").GetGuid());
    }
}
