using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

[Collection(OrdersCollection.Name)]
public sealed class PreferWaitTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private OrdersApp _app = null!;

    public async Task InitializeAsync() => _app = await OrdersApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task After_the_timeout_the_current_order_is_returned()
    {
        var response = await _app.PlaceAsync(Body(_app.Neighbours.AddCustomer()), prefer: "wait=1");
        Assert.Equal((HttpStatusCode.Created, "wait=1"), (response.StatusCode, response.Headers.GetValues("Preference-Applied").Single()));
        Assert.Equal(("pending", "\"1\""), ((string?)(await OrdersApp.BodyAsync(response))["status"], response.Headers.ETag!.Tag));
    }

    [Theory]
    [InlineData("100000")]
    [InlineData("99999999999999999999999999")]
    public async Task More_than_30_seconds_count_as_30(string seconds)
    {
        var customer = _app.Neighbours.AddCustomer();
        var placing = _app.PlaceAsync(Body(customer), prefer: "respond-async, wait=" + seconds);
        await _app.AnswerAsync(await PlacedAsync(customer), 1, "reserved");
        var response = await placing;
        Assert.Equal("wait=30", response.Headers.GetValues("Preference-Applied").Single());
        Assert.Equal("confirmed", (string?)(await OrdersApp.BodyAsync(response))["status"]);
    }

    [Fact]
    public async Task An_outcome_that_another_replica_has_consumed_ends_the_wait()
    {
        await using var other = await _app.StartReplicaAsync();
        // Enough customers that each of the two replicas has partitions with some of them.
        var customers = Enumerable.Range(0, 8).Select(_ => _app.Neighbours.AddCustomer()).ToList();
        var placing = customers.ConvertAll(customer => _app.PlaceAsync(Body(customer), prefer: "wait=30"));
        foreach (var customer in customers)
        {
            await _app.AnswerAsync(await PlacedAsync(customer), 1, "reserved");
        }

        // At the end of the wait, each of them would query the order in any case.
        foreach (var response in await Task.WhenAll(placing).WaitAsync(TimeSpan.FromSeconds(20)))
        {
            Assert.Equal("confirmed", (string?)(await OrdersApp.BodyAsync(response))["status"]);
        }
    }

    [Fact]
    public async Task A_replay_waits_too()
    {
        var customer = _app.Neighbours.AddCustomer();
        var body = Body(customer);
        var id = (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(body, "key")))["id"]!;
        var replaying = _app.PlaceAsync(body, "key", "wait=30");
        await _app.AnswerAsync(id, 1, "reserved");
        var replayed = await replaying;
        Assert.Equal(
            (HttpStatusCode.Created, "true", "wait=30"),
            (replayed.StatusCode, replayed.Headers.GetValues("Idempotency-Replayed").Single(), replayed.Headers.GetValues("Preference-Applied").Single()));
        Assert.Equal("confirmed", (string?)(await OrdersApp.BodyAsync(replayed))["status"]);
    }

    private object Body(Guid customer) => OrdersApp.Body(customer, (_app.Neighbours.AddProduct(), 1));

    private async Task<Guid> PlacedAsync(Guid customer)
    {
        await Eventually.TrueAsync(
            async () => await _app.QueryAsync<long>("SELECT count(*) FROM orders WHERE customer_id = $1", customer) == 1,
            TimeSpan.FromSeconds(30), "the order exists");
        return await _app.QueryAsync<Guid>("SELECT id FROM orders WHERE customer_id = $1", customer);
    }
}
