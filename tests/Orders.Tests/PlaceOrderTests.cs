using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class PlaceOrderTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;

    [Fact]
    public async Task Returns_201_with_the_order_and_publishes_it()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var response = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 3), (product, 1)));

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var order = await OrdersApp.BodyAsync(response);
        Assert.Equal($"/api/orders/{order["id"]}", response.Headers.Location!.ToString());
        Assert.Equal("\"1\"", response.Headers.ETag!.Tag);
        Assert.Equal(("pending", 1, 72.00m), ((string?)order["status"], (int)order["version"]!, (decimal)order["total"]!["amount"]!));
        Assert.Equal([3, 1], order["lines"]!.AsArray().Select(l => (int)l!["quantity"]!));
        Assert.Null(order["rejection"]);

        var record = (await _app.Kafka.ReadAsync("order.created", (string)order["id"]!, seen => seen.Count == 1))[0];
        Assert.Equal("1.0", record.Headers["ce_specversion"]);
        Assert.Equal("order.created.v1", record.Headers["ce_type"]);
        Assert.Equal("/orders", record.Headers["ce_source"]);
        Assert.Equal((string?)order["id"], record.Headers["ce_subject"]);
        Assert.Equal("1", record.Headers["ce_aggregateversion"]);
        Assert.Equal("application/json", record.Headers["content-type"]);
        Assert.True(Guid.TryParse(record.Headers["ce_id"], out _) && record.Headers.ContainsKey("ce_correlationid") && record.Headers.ContainsKey("ce_time"));
        Assert.False(record.Headers.ContainsKey("ce_causationid"));
        Assert.Equal("pending", record.Json.GetProperty("status").GetString());
        Assert.Equal(2, record.Json.GetProperty("lines").GetArrayLength());
    }

    [Fact]
    public async Task Returns_400_without_an_idempotency_key()
    {
        var response = await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (_app.Neighbours.AddProduct(), 1)), key: null);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.EndsWith("/idempotency-key-required", (string?)(await OrdersApp.BodyAsync(response))["type"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"customerId\": \"C\", \"lines\": []}", "$.lines")]
    [InlineData("{\"customerId\": \"C\", \"lines\": null}", "$.lines")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [null]}", "$.lines[0]")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": 0}]}", "$.lines[0].quantity")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": -1}]}", "$.lines[0].quantity")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": 1.5}]}", "$.lines[0].quantity")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": \"1\"}]}", "$.lines[0].quantity")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": 99999999999}]}", "$.lines[0].quantity")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"productId\": \"P\", \"quantity\": 1, \"unitPrice\": 0.01}]}", "$.lines[0].unitPrice")]
    [InlineData("{\"customerId\": \"C\", \"lines\": [{\"quantity\": 1}]}", "$.lines[0]")]
    [InlineData("{\"customerId\": \"nobody\", \"lines\": []}", "$.customerId")]
    [InlineData("{\"lines\": []}", "$")]
    [InlineData("{\"customerId\"", "$")]
    [InlineData("[]", "$")]
    public async Task Malformed_input_is_400_and_names_its_place(string json, string path)
    {
        json = json.Replace("\"C\"", $"\"{Guid.CreateVersion7()}\"", StringComparison.Ordinal).Replace("\"P\"", $"\"{Guid.CreateVersion7()}\"", StringComparison.Ordinal);
        var response = await _app.PlaceAsync(json);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await OrdersApp.BodyAsync(response);
        Assert.StartsWith(path, problem["errors"]!.AsObject().First().Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_500_lines_are_400()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        Assert.Equal(HttpStatusCode.BadRequest, (await _app.PlaceAsync(OrdersApp.Body(customer, [.. Enumerable.Repeat((product, 1), 501)]))).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await _app.PlaceAsync(OrdersApp.Body(customer, [.. Enumerable.Repeat((product, 1), 500)]))).StatusCode);
    }

    [Fact]
    public async Task Unknown_and_discontinued_products_are_422_by_line()
    {
        var (customer, known) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var response = await _app.PlaceAsync(OrdersApp.Body(customer, (known, 1), (Guid.CreateVersion7(), 1), (_app.Neighbours.AddProduct(status: "discontinued"), 1)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var problem = await OrdersApp.BodyAsync(response);
        Assert.EndsWith("/unknown-product", (string?)problem["type"], StringComparison.Ordinal);
        Assert.Equal(["$.lines[1].productId", "$.lines[2].productId"], problem["errors"]!.AsObject().Select(e => e.Key).Order());
    }

    [Fact]
    public async Task An_unknown_customer_and_a_mixed_currency_are_422()
    {
        var product = _app.Neighbours.AddProduct();
        var stranger = await _app.PlaceAsync(OrdersApp.Body(Guid.CreateVersion7(), (product, 1)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, stranger.StatusCode);
        Assert.EndsWith("/unknown-customer", (string?)(await OrdersApp.BodyAsync(stranger))["type"], StringComparison.Ordinal);
        var mixed = await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (product, 1), (_app.Neighbours.AddProduct(currency: "USD"), 1)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, mixed.StatusCode);
        Assert.EndsWith("/mixed-currency", (string?)(await OrdersApp.BodyAsync(mixed))["type"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Returns_409_with_its_lines_when_stock_is_short_and_keeps_no_key()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        _app.Neighbours.Available[product] = 1;
        var refused = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 3)), "again");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var problem = await OrdersApp.BodyAsync(refused);
        Assert.EndsWith("/insufficient-stock", (string?)problem["type"], StringComparison.Ordinal);
        Assert.Equal((3, 1), ((int)problem["lines"]![0]!["requested"]!, (int)problem["lines"]![0]!["available"]!));

        _app.Neighbours.Available[product] = 3;
        Assert.Equal(HttpStatusCode.Created, (await _app.PlaceAsync(OrdersApp.Body(customer, (product, 3)), "again")).StatusCode);
    }

    [Fact]
    public async Task A_dependency_that_is_down_is_503_and_never_not_found()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        _app.Neighbours.ProductsIsDown = true;
        var products = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, products.StatusCode);
        Assert.NotNull(products.Headers.RetryAfter);
        _app.Neighbours.ProductsIsDown = false;
        _app.Neighbours.CustomersIsDown = true;
        // Another customer: the answer about the first one is kept.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (product, 1)))).StatusCode);
    }

    [Fact]
    public async Task Accepts_the_order_when_Inventory_does_not_answer()
    {
        _app.Neighbours.InventoryIsDown = true;
        var response = await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (_app.Neighbours.AddProduct(), 1)));
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Fact]
    public async Task Waits_for_the_outcome_when_requested()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var placing = _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), prefer: "wait=30");
        var id = await Eventually.NotNullAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE customer_id = $1", customer) == 1
                ? (object?)await _app.QueryAsync<Guid>("SELECT id FROM orders WHERE customer_id = $1", customer) : null,
            TimeSpan.FromSeconds(30), "the order exists");
        await _app.AnswerAsync((Guid)id, 1, "reserved");
        var response = await placing;
        Assert.Equal("wait=30", response.Headers.GetValues("Preference-Applied").Single());
        Assert.Equal("confirmed", (string?)(await OrdersApp.BodyAsync(response))["status"]);
        Assert.Equal("\"2\"", response.Headers.ETag!.Tag);
    }

    [Fact]
    public async Task Local_copies_of_products_and_customers_make_calls_unnecessary()
    {
        var (customer, product) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await _app.Kafka.PublishAsync("product.updated", "product.updated.v1", product.ToString(),
            $$"""{"productId": "{{product}}", "version": 2, "sku": "S", "name": "Newer", "price": {"amount": 2.50, "currency": "EUR"}, "status": "active"}""");
        await _app.Kafka.PublishAsync("product.updated", "product.updated.v1", product.ToString(),
            $$"""{"productId": "{{product}}", "version": 1, "sku": "S", "name": "Older", "price": {"amount": 1.00, "currency": "EUR"}, "status": "active"}""");
        await _app.Kafka.PublishAsync("customer.updated", "customer.updated.v1", customer.ToString(),
            $$"""{"customerId": "{{customer}}", "version": 1, "status": "active", "language": "de", "channels": {"email": true, "sms": false, "webhook": false} }""");
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM customer_copies WHERE customer_id = $1", customer) == 1
                && await _app.QueryAsync<long>("SELECT count(*) FROM product_copies WHERE product_id = $1", product) == 1,
            TimeSpan.FromSeconds(30), "the local copies exist");
        _app.Neighbours.ProductsIsDown = true;
        _app.Neighbours.CustomersIsDown = true;
        var order = await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 2))));
        Assert.Equal(("Newer", 5.00m), ((string?)order["lines"]![0]!["name"], (decimal)order["total"]!["amount"]!));
    }
}
