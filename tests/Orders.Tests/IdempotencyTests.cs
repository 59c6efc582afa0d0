using System.Net;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class IdempotencyTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;

    [Fact]
    public async Task The_same_key_and_body_return_the_order_in_its_current_state()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var first = await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key"));
        await _app.AnswerAsync((Guid)first["id"]!, 1, "reserved");
        await _app.WaitForAsync((Guid)first["id"]!, "confirmed");

        // Stock is short by now: the check must not refuse what was accepted before.
        _app.Neighbours.Available[product] = 0;
        var again = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key");
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        var body = await OrdersApp.BodyAsync(again);
        Assert.Equal(((string?)first["id"], "confirmed"), ((string?)body["id"], (string?)body["status"]));
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE customer_id = $1", customer));
    }

    [Fact]
    public async Task Another_body_with_the_same_key_is_422_also_for_another_customer()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key");
        var other = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 2)), "key");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.EndsWith("/idempotency-key-reused", (string?)(await OrdersApp.BodyAsync(other))["type"], StringComparison.Ordinal);
        // The key belongs to the caller, whichever customer the order is for.
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _app.PlaceAsync(OrdersApp.Body(_app.Neighbours.AddCustomer(), (product, 2)), "key")).StatusCode);
    }

    [Fact]
    public async Task Twenty_concurrent_requests_make_one_order()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key")));
        Assert.All(responses, r => Assert.True(r.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict, $"{r.StatusCode}"));
        Assert.Equal(1L, await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE customer_id = $1", customer));
    }

    [Fact]
    public async Task A_request_in_flight_is_409_with_Retry_After()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        await using var connection = await _app.Database.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // Another replica has written the key and has not committed yet: others cannot see the row, only wait for it.
            await using var insert = new NpgsqlCommand(
                "INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id) VALUES ($1, 'key', '\\x00', $2)", connection, transaction)
            {
                Parameters = { new() { Value = "tester" }, new() { Value = Guid.CreateVersion7() } },
            };
            await insert.ExecuteNonQueryAsync();
            var response = await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key");
            Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
            Assert.EndsWith("/idempotency-in-flight", (string?)(await OrdersApp.BodyAsync(response))["type"], StringComparison.Ordinal);
            Assert.NotNull(response.Headers.RetryAfter);
            await transaction.RollbackAsync();
        }

        Assert.Equal(HttpStatusCode.Created, (await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)), "key")).StatusCode);
    }

    [Theory]
    [InlineData("umlaut-ä")]
    [InlineData("tab\t")]
    public async Task A_key_that_is_not_printable_ASCII_is_400(string key) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await _app.PlaceAsync(OrdersApp.Body(Guid.CreateVersion7(), (Guid.CreateVersion7(), 1)), key)).StatusCode);

    [Fact]
    public async Task A_key_of_more_than_255_characters_is_400() =>
        Assert.Equal(HttpStatusCode.BadRequest, (await _app.PlaceAsync(OrdersApp.Body(Guid.CreateVersion7(), (Guid.CreateVersion7(), 1)), new string('k', 256))).StatusCode);
}
