using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Features;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class OpenLinesTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task They_are_the_units_that_open_orders_should_hold()
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

    // Fails when all lines that the product ever had are read: most of its orders ended long ago.
    [Fact]
    public async Task They_are_found_from_the_open_orders()
    {
        await using var app = await OrdersApp.StartAsync(infrastructure);
        var product = Guid.CreateVersion7();
        await app.ExecuteAsync(
            $"""
            WITH made AS (
                INSERT INTO orders (id, customer_id, status, version, currency, total, placed_at, updated_at, ship_to_erased)
                SELECT gen_random_uuid(), gen_random_uuid(), CASE n WHEN 1500 THEN 'confirmed' ELSE 'delivered' END, 4, 'EUR', 1, now(), now(), false FROM generate_series(1, 3000) AS n
                RETURNING id)
            INSERT INTO order_lines (order_id, line_no, product_id, sku, name, unit_price, quantity) SELECT id, 1, '{product}', 'TEA', 'Tea', 1, 2 FROM made
            """);
        await app.ExecuteAsync("ANALYZE orders, order_lines");
        await using var session = new CountedSession(app.ConnectionString);
        await using var database = new OrdersDb(new DbContextOptionsBuilder<OrdersDb>().UseNpgsql(session.Database).UseSnakeCaseNamingConvention().Options);
        var before = await session.RowsReadAsync("orders", "order_lines");
        var found = Assert.IsType<Ok<Page<ListOpenLines.OpenLine>>>((await ListOpenLines.HandleAsync(product.ToString(), database, CancellationToken.None)).Result);
        Assert.Equal([new(product, 2, 0)], found.Value!.Items);
        Assert.InRange(await session.RowsReadAsync("orders", "order_lines") - before, 1, 50);
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
