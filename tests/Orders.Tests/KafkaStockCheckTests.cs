using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using OrderInventory.Contracts.Inventory;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>The stock check as request and reply over Kafka; the test replies for Inventory.</summary>
[Collection(OrdersCollection.Name)]
public sealed class KafkaStockCheckTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task A_shortage_is_409_and_enough_stock_makes_the_order()
    {
        await using var app = await StartAsync();
        using var inventory = new Inventory(infrastructure.Kafka);
        var product = app.Neighbours.AddProduct();
        inventory.Available[product] = 5;
        await Eventually.TrueAsync(
            async () => (await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 3), (product, 3)))).StatusCode == HttpStatusCode.Conflict,
            TimeSpan.FromSeconds(30), "a request gets its answer");
        var refused = await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 3), (product, 3)));
        var line = (await OrdersApp.BodyAsync(refused))["lines"]![0]!;
        Assert.Equal((6, 5), ((int)line["requested"]!, (int)line["available"]!));
        Assert.Equal(HttpStatusCode.Created, (await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 5)))).StatusCode);
        Assert.True(inventory.Deadline > DateTimeOffset.UnixEpoch);
    }

    [Theory]
    [InlineData("Accept", HttpStatusCode.Created)]
    [InlineData("Refuse", HttpStatusCode.ServiceUnavailable)]
    public async Task Without_an_answer_the_setting_decides(string whenUnknown, HttpStatusCode expected)
    {
        await using var app = await StartAsync(("Orders:WhenStockUnknown", whenUnknown));
        Assert.Equal(expected, (await app.PlaceAsync(OrdersApp.Body(app.Neighbours.AddCustomer(), (app.Neighbours.AddProduct(), 1)))).StatusCode);
    }

    [Fact]
    public async Task A_late_answer_is_dropped_and_the_next_request_gets_its_own()
    {
        await using var app = await StartAsync(("Orders:WhenStockUnknown", "Refuse"));
        using var inventory = new Inventory(infrastructure.Kafka);
        var product = app.Neighbours.AddProduct();
        var body = OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 3));
        // Enough, but little enough that the next order asks again.
        inventory.Available[product] = 100;
        await Eventually.TrueAsync(
            async () => (await app.PlaceAsync(body)).StatusCode == HttpStatusCode.Created, TimeSpan.FromSeconds(30), "a request gets its answer");

        inventory.IsLate = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PlaceAsync(body)).StatusCode);
        Assert.NotEmpty(inventory.LateAnswers);
        // The late replies come before the next reply, on the same partition, and report enough stock.
        inventory.IsLate = false;
        inventory.Available[product] = 2;
        var refused = await app.PlaceAsync(body);
        Assert.Empty(inventory.LateAnswers);
        Assert.Equal((HttpStatusCode.Conflict, 2), (refused.StatusCode, (int)(await OrdersApp.BodyAsync(refused))["lines"]![0]!["available"]!));
    }

    [Fact]
    public async Task Makes_no_requests_for_a_while_after_repeated_timeouts()
    {
        await using var app = await StartAsync(("Orders:WhenStockUnknown", "Refuse"));
        var product = app.Neighbours.AddProduct();
        var body = OrdersApp.Body(app.Neighbours.AddCustomer(), (product, 1));
        var (atStart, asked) = (CountRequests(), 0L);

        // Each attempt sends a request until the circuit opens. The first attempts may end before the client has its partitions, and send none.
        await Eventually.TrueAsync(
            async () =>
            {
                asked = CountRequests() - atStart;
                Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PlaceAsync(body)).StatusCode);
                return asked > 0 && CountRequests() - atStart == asked;
            },
            TimeSpan.FromSeconds(30), "a placement makes no request");
        Assert.InRange(asked, 1, 12);

        using var inventory = new Inventory(infrastructure.Kafka);
        inventory.Available[product] = 1000;
        await Eventually.TrueAsync(
            async () => (await app.PlaceAsync(body)).StatusCode == HttpStatusCode.Created, TimeSpan.FromSeconds(30), "Inventory is queried again");
    }

    /// <summary>How many requests the topic has ever had.</summary>
    private long CountRequests()
    {
        var client = new ClientConfig { BootstrapServers = infrastructure.Kafka };
        using var admin = new AdminClientBuilder(client).Build();
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig(client) { GroupId = "count" }).Build();
        return admin.GetMetadata(StockCheckRequested.Topic, TimeSpan.FromSeconds(10)).Topics.Single().Partitions
            .Sum(p => consumer.QueryWatermarkOffsets(new(StockCheckRequested.Topic, p.PartitionId), TimeSpan.FromSeconds(10)).High.Value);
    }

    private Task<OrdersApp> StartAsync(params (string, string)[] settings) =>
        OrdersApp.StartAsync(infrastructure, [("Orders:StockCheck", "Kafka"), ("Messaging:Consumer:FetchWaitMaxMs", "10"), .. settings]);

    private sealed class Inventory : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Inventory(string bootstrapServers)
        {
            _running = Task.Factory.StartNew(() => Answer(bootstrapServers), TaskCreationOptions.LongRunning);
        }

        public ConcurrentDictionary<Guid, long> Available { get; } = [];

        /// <summary>Replies are held back, and sent before the first one that is not late.</summary>
        public bool IsLate { get; set; }

        public ConcurrentQueue<Message<string, byte[]>> LateAnswers { get; } = [];

        public DateTimeOffset Deadline { get; private set; }

        public void Dispose()
        {
            _stop.Cancel();
            _running.Wait();
            _stop.Dispose();
        }

        private void Answer(string bootstrapServers)
        {
            using var producer = new ProducerBuilder<string, byte[]>(new ProducerConfig { BootstrapServers = bootstrapServers, LingerMs = 0 }).Build();
            using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
            {
                BootstrapServers = bootstrapServers,
                GroupId = "inventory-" + Guid.CreateVersion7().ToString("N"),
                AutoOffsetReset = AutoOffsetReset.Latest,
                FetchWaitMaxMs = 10,
                AllowAutoCreateTopics = true,
            }).Build();
            consumer.Subscribe("inventory.check.requested");
            while (!_stop.IsCancellationRequested)
            {
                ConsumeResult<string, byte[]>? record = null;
                try
                {
                    record = consumer.Consume(TimeSpan.FromMilliseconds(100));
                }
                catch (ConsumeException)
                {
                    // The topic does not exist yet.
                }

                if (record is null)
                {
                    continue;
                }

                string Header(string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
                Assert.Equal("inventory.check.requested.v1", Header("ce_type"));
                Deadline = DateTimeOffset.Parse(Header("deadline"), System.Globalization.CultureInfo.InvariantCulture);
                var lines = JsonSerializer.Deserialize<JsonElement>(record.Message.Value).GetProperty("lines").EnumerateArray()
                    .GroupBy(l => l.GetProperty("productId").GetGuid())
                    .Select(g => (ProductId: g.Key, Requested: g.Sum(l => l.GetProperty("quantity").GetInt64()), Available: Available.GetValueOrDefault(g.Key)))
                    .Select(l => new { productId = l.ProductId, requested = l.Requested, available = l.Available, sufficient = l.Requested <= l.Available })
                    .ToList();
                LateAnswers.Enqueue(new()
                {
                    Key = record.Message.Key,
                    Value = JsonSerializer.SerializeToUtf8Bytes(new { sufficient = lines.TrueForAll(l => l.sufficient), lines }),
                    Headers = [new Header("ce_causationid", Encoding.UTF8.GetBytes(Header("ce_id")))],
                });
                while (!IsLate && LateAnswers.TryDequeue(out var answer))
                {
                    producer.Produce("inventory.check.replied", answer);
                }
            }
        }
    }
}
