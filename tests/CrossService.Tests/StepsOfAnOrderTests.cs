using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;
using Xunit.Abstractions;

namespace OrderInventory.CrossService.Tests;

/// <summary>Counts the work for one order: speed comes from work that is not done.</summary>
[Collection(InfrastructureCollection.Name)]
public sealed class StepsOfAnOrderTests(InfrastructureFixture infrastructure, ITestOutputHelper output)
{
    /// <summary>Other work (a sweep, a checkpoint) may fall into one measurement, but not into the cheapest of twelve.</summary>
    private const int Measurements = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task An_order_stays_within_its_cost_ceilings(int together)
    {
        await using var services = await OrdersAndInventory.StartAsync(infrastructure, "Rest");
        Guid[] products = [await services.ProductAsync(1_000_000), await services.ProductAsync(1_000_000), await services.ProductAsync(1_000_000)];
        // Warm up plans, connections and memory.
        for (var i = 0; i < 10; i++)
        {
            await CostAsync(services, products, together);
        }

        var costs = new List<Ceilings>();
        for (var i = 0; i < Measurements; i++)
        {
            costs.Add(await CostAsync(services, products, together));
        }

        var cheapest = new Ceilings(
            costs.Min(c => c.RoundTrips), costs.Min(c => c.Rows), costs.Min(c => c.IndexEntries), costs.Min(c => c.Records),
            costs.Min(c => c.WalBytes), costs.Min(c => c.AllocatedBytes));
        output.WriteLine($"{together} together, each: {cheapest}");
        var allowed = together == 1 ? Ceilings.Alone : Ceilings.OfTwenty;
        Assert.All(
            new[]
            {
                ("round trips", cheapest.RoundTrips, allowed.RoundTrips), ("rows", cheapest.Rows, allowed.Rows),
                ("index entries", cheapest.IndexEntries, allowed.IndexEntries), ("Kafka records", cheapest.Records, allowed.Records),
                ("WAL bytes", cheapest.WalBytes, allowed.WalBytes), ("allocated bytes", cheapest.AllocatedBytes, allowed.AllocatedBytes),
            },
            cost => Assert.True(cost.Item2 <= cost.Item3, $"{cost.Item1}: {cost.Item2}, at most {cost.Item3} are allowed. {cheapest}"));
    }

    /// <summary>The cost of one order when this many are placed and handled together.</summary>
    private static async Task<Ceilings> CostAsync(OrdersAndInventory services, Guid[] products, int together)
    {
        IService[] both = [services.OrdersService, services.InventoryService];
        var before = await Task.WhenAll(both.Select(CountAsync));
        var wal = await WalAsync(services);
        using var trips = new StatementCount { IsRunning = false };
        var allocated = 0L;
        var records = 0;

        await MeasureAsync(() => Task.WhenAll(Enumerable.Range(0, together).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
            {
                Content = JsonContent.Create(new { customerId = services.Customer, lines = products.Select(productId => new { productId, quantity = 1 }) }),
            };
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
            using var response = await services.Orders.SendAsync(request);
            Assert.Equal(System.Net.HttpStatusCode.Created, response.StatusCode);
        })));
        await DeliverAsync(services.OrdersService, services.InventoryService, "order.created");
        await DeliverAsync(services.InventoryService, services.OrdersService, "inventory.reservation");
        var confirmed = await Carrier.TakeAsync(services.OrdersService);
        records += confirmed.Count;
        Assert.All(confirmed, message => Assert.Equal("confirmed", (string?)JsonNode.Parse(message.Payload)!["status"]));

        var after = await Task.WhenAll(both.Select(CountAsync));
        return new(
            (double)trips.Count / together,
            // The outbox rows are deleted by now; each was one record.
            (double)(after.Sum(a => a.Rows) - before.Sum(b => b.Rows) + records) / together,
            (double)(after.Sum(a => a.IndexEntries) - before.Sum(b => b.IndexEntries) + records) / together,
            (double)records / together,
            (double)(await WalAsync(services) - wal) / together,
            (double)allocated / together);

        async Task MeasureAsync(Func<Task> work)
        {
            var start = GC.GetTotalAllocatedBytes(precise: true);
            trips.IsRunning = true;
            await work();
            trips.IsRunning = false;
            allocated += GC.GetTotalAllocatedBytes(precise: true) - start;
        }

        async Task DeliverAsync(IService from, IService to, string topic)
        {
            var messages = await Carrier.TakeAsync(from);
            records += messages.Count;
            var mine = messages.FindAll(message => message.Topic == topic).ConvertAll(m => services.Carrier.Record(m.Topic, m.Key, m.Headers, m.Payload, otherId: false));
            Assert.Equal(together, mine.Count);
            await MeasureAsync(() => to.ReceiveAsync(mine));
        }
    }

    private static async Task<(long Rows, long IndexEntries)> CountAsync(IService service)
    {
        await using var tables = service.Database.CreateCommand(
            """
            -- A block range index has one entry for many pages, and one of tracking numbers none of an order that is not shipped.
            SELECT c.relname, (
                SELECT count(*) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
                WHERE i.indrelid = c.oid AND a.amname <> 'brin' AND pg_get_expr(i.indpred, i.indrelid) IS DISTINCT FROM '(tracking_number IS NOT NULL)')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname = 'public' AND c.relname NOT LIKE 'outbox%'
            """);
        var indexes = new Dictionary<string, long>();
        await using (var reader = await tables.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                indexes.Add(reader.GetString(0), reader.GetInt64(1));
            }
        }

        var (rows, entries) = (0L, 0L);
        foreach (var (table, number) in indexes)
        {
            await using var count = service.Database.CreateCommand($"SELECT count(*) FROM \"{table}\"");
            var inTable = (long)(await count.ExecuteScalarAsync())!;
            rows += inTable;
            entries += inTable * number;
        }

        return (rows, entries);
    }

    private static async Task<long> WalAsync(OrdersAndInventory services)
    {
        await using var position = services.OrdersService.Database.CreateCommand("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint");
        return (long)(await position.ExecuteScalarAsync())!;
    }
}
