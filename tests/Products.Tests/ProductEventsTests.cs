using System.Globalization;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>What other services read: exact headers and JSON, read by a consumer that uses none of our code.</summary>
[Collection(ProductsCollection.Name)]
public sealed class ProductEventsTests(ProductsApp app)
{
    [Fact]
    public async Task Publishes_product_updated_when_a_product_is_created()
    {
        var product = await app.CreateAsync();

        var made = (await app.ReadEventsAsync(product.Id, 1)).Single();

        Assert.Equal(
            $$"""{"productId":"{{product.Id}}","version":1,"sku":"{{product.Json["sku"]}}","name":"Chai","price":{"amount":18.00,"currency":"EUR"},"status":"active"}""",
            made.Value);
        Assert.Equal(
            ["ce_aggregateversion", "ce_correlationid", "ce_id", "ce_source", "ce_specversion", "ce_subject", "ce_time", "ce_type", "content-type", "traceparent"],
            made.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("1.0", made.Headers["ce_specversion"]);
        Assert.Equal("product.updated.v1", made.Headers["ce_type"]);
        Assert.Equal("/products", made.Headers["ce_source"]);
        Assert.Equal(product.Id.ToString(), made.Headers["ce_subject"]);
        Assert.Equal("1", made.Headers["ce_aggregateversion"]);
        Assert.Equal("application/json", made.Headers["content-type"]);
        Assert.Equal(7, Guid.Parse(made.Headers["ce_id"]).Version);
        Assert.Equal(made.Headers["ce_id"], made.Headers["ce_correlationid"]);
        Assert.Equal(
            (DateTimeOffset)product.Json["updatedAt"]!, DateTimeOffset.Parse(made.Headers["ce_time"], CultureInfo.InvariantCulture));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", made.Headers["traceparent"]);
    }

    [Fact]
    public async Task Publishes_every_change_in_order_and_nothing_for_a_request_that_changes_nothing()
    {
        var product = await app.CreateAsync();
        var path = $"/api/products/{product.Id}";
        (await app.Api.PatchAsync(path, """{"name": "Chai"}""", ("If-Match", "\"1\""))).ShouldBe(200);
        (await app.Api.PatchAsync(path, """{"price": {"amount": 20}}""", ("If-Match", "\"1\""))).ShouldBe(200);
        (await app.Api.PatchAsync(path, """{"name": "Lost"}""", ("If-Match", "\"1\""))).ShouldBe(412);
        (await app.Api.PatchAsync(path, """{"status": "discontinued"}""", ("If-Match", "\"2\""))).ShouldBe(200);
        (await app.Api.DeleteAsync(path, ("If-Match", "\"3\""))).ShouldBe(204);

        var events = await app.ReadEventsAsync(product.Id, 4);

        var data = (int version, string price, string status) =>
            $$"""{"productId":"{{product.Id}}","version":{{version}},"sku":"{{product.Json["sku"]}}","name":"Chai","price":{"amount":{{price}},"currency":"EUR"},"status":"{{status}}"}""";
        Assert.Equal([data(1, "18.00", "active"), data(2, "20.00", "active"), data(3, "20.00", "discontinued"), data(4, "20.00", "deleted")], events.Select(e => e.Value));
        Assert.Equal(["1", "2", "3", "4"], events.Select(e => e.Headers["ce_aggregateversion"]));
        Assert.Equal(4, events.Select(e => e.Headers["ce_id"]).Distinct().Count());
    }

    [Fact]
    public async Task Publishes_nothing_for_a_refused_request()
    {
        var product = await app.CreateAsync();
        (await app.Api.PostAsync("/api/products", ProductsApp.NewProduct((string)product.Json["sku"]!).ToJsonString())).ShouldBe(409);
        await app.ReadEventsAsync(product.Id, 1);

        await Eventually.TrueAsync(async () => await app.CountAsync("SELECT count(*) FROM outbox_messages") == 0, TimeSpan.FromSeconds(20), "the outbox is empty");
        Assert.Equal(0, await app.CountAsync("SELECT count(*) FROM dead_letters"));
    }
}
