using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrderInventory.Inventory.Features;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>
/// Random sequences of everything that moves stock, with duplicate, late and reordered events, run against <see cref="StockModel"/>
/// and against real rows. Each sequence has its own seed, which a failure reports.
/// </summary>
[Collection(InventoryCollection.Name)]
public sealed class StockSequenceTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private const int Sequences = 200;

    private static readonly uint s_seed = (uint)RunSetting.Of("SEQUENCE_SEED", 7);

    /// <param name="Action">One of <see cref="s_actions"/>.</param>
    /// <param name="Order">Which of the four orders.</param>
    /// <param name="A">Units of the first product, or the action's own argument.</param>
    /// <param name="B">Units of the second product, or a second argument.</param>
    /// <param name="Delay">By how many steps its event is late.</param>
    /// <param name="Twice">Whether the event arrives again: 1 with the same id, 2 with another id, as if the inbox had forgotten it.</param>
    private sealed record Step(string Action, int Order, int A, int B, int Delay, int Twice);

    /// <summary>The first event of an order creates it, whatever the step says.</summary>
    private static readonly string[] s_actions =
        ["adjust", "hold", "lapse", "revise", "revise", "revise", "cancel", "expire", "ship", "return", "writeOff"];

    private static readonly Gen<Step[]> s_sequences = Gen.Select(
        Gen.OneOfConst(s_actions), Gen.Int[0, 3], Gen.Int[0, 6], Gen.Int[0, 6], Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 6])), Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 2])),
        (action, order, a, b, delay, twice) => new Step(action, order, a, b, delay, twice)).Array[4, 16];

    private InventoryApp _app = null!;
    private HttpClient _http = null!;
    private InboxProcessor _inbox = null!;
    private ExpireHolds _sweeper = null!;
    private readonly HashSet<string> _done = [];
    private long _offset;

    public async Task InitializeAsync()
    {
        _app = await InventoryApp.StartAsync(infrastructure, ("Inventory:HoldSweep", "1.00:00:00"));
        _http = _app.CreateClient();
        _inbox = _app.Services.GetRequiredService<InboxProcessor>();
        _sweeper = _app.Services.GetServices<IHostedService>().OfType<ExpireHolds>().Single();
        (await _http.PostAsJsonAsync("/api/inventory/locations", new { code = "berlin", name = "Berlin", priority = -1 })).EnsureSuccessStatusCode();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Stock_records_balance_after_any_sequence_of_events()
    {
        var kinds = new HashSet<string>();
        for (var sequence = 1u; sequence <= Sequences; sequence++)
        {
            var steps = s_sequences.Generate(new PCG(s_seed, sequence), null, out _);
            try
            {
                kinds.UnionWith(await RunAsync(steps));
            }
            catch (Exception exception) when (exception is Xunit.Sdk.XunitException)
            {
                Assert.Fail($"SEQUENCE_SEED={s_seed}, sequence {sequence}: {exception.Message}\n{string.Join('\n', steps.Select((step, i) => $"{i}: {step}"))}");
            }
        }

        await _app.AssertBooksBalanceAsync();
        Assert.Equal(0L, await _app.QueryAsync<long>("SELECT count(*) FROM stock_levels WHERE on_hand < 0 OR reserved < 0"));
        // Sequences in which nothing happens would prove nothing.
        Assert.Equal([.. s_actions.Append("create").Distinct().Order(StringComparer.Ordinal)], _done.Order(StringComparer.Ordinal));
        Assert.Superset(new HashSet<string> { "reserved", "rejected", "revised", "revisionRejected", "released", "shipped" }, kinds);
        Assert.True(await _app.QueryAsync<long>("SELECT count(DISTINCT kind) FROM stock_movements WHERE kind IN ('held', 'holdReleased', 'holdExpired', 'returned')") == 4);
    }

    /// <summary>Runs one sequence and returns the outcomes of its orders.</summary>
    private async Task<IEnumerable<string>> RunAsync(Step[] steps)
    {
        Guid[] products = [await _app.StockAsync(10), await _app.StockAsync(6)];
        var model = new StockModel(new() { [products[0]] = 10, [products[1]] = 6 });
        var orders = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
        var versions = new long[4];
        var holds = new List<Guid>();
        var late = new List<(int Due, EventRecord Record, Action Apply)>();
        for (var i = 0; i < steps.Length; i++)
        {
            // Without a hold, none can lapse.
            var step = steps[i].Action == "lapse" && holds.Count == 0 ? steps[i] with { Action = "revise" } : steps[i];
            if (!await PersonAsync(step, products, model, holds))
            {
                var version = ++versions[step.Order];
                step = version == 1 ? step with { Action = "create" } : step;
                var (record, apply) = EventOf(step, orders[step.Order], version, products, model, holds);
                late.Add((i + step.Delay, record(null), apply));
                if (step.Twice > 0)
                {
                    late.Add((i + step.Delay + 2, record(step.Twice == 1 ? late[^1].Record : null), apply));
                }
            }

            _done.Add(step.Action);
            await DeliverAsync(late, i);
        }

        await DeliverAsync(late, int.MaxValue);
        while (await _sweeper.SweepAsync(CancellationToken.None) > 0)
        {
        }

        foreach (var product in products)
        {
            Assert.Equal((model.OnHand[product], model.Reserved(product)), await _app.QuantitiesAsync(product));
            await HistoryCheck.LedgerAsync(_http, product);
        }

        foreach (var (order, expected) in model.Orders)
        {
            Assert.Equal($"{expected.Version} {expected.Outcome}", await _app.QueryAsync<string>("SELECT order_version || ' ' || outcome FROM reservations WHERE order_id = $1", order));
        }

        return model.Orders.Values.Select(order => order.Outcome);
    }

    /// <summary>Delivers everything that is due as one batch, as a poll would.</summary>
    private async Task DeliverAsync(List<(int Due, EventRecord Record, Action Apply)> late, int now)
    {
        var due = late.FindAll(e => e.Due <= now);
        late.RemoveAll(e => e.Due <= now);
        if (due.Count > 0)
        {
            due.ForEach(e => e.Apply());
            await _inbox.ProcessAsync(due.ConvertAll(e => e.Record), CancellationToken.None);
        }
    }

    /// <summary>Performs what people and carts do, over HTTP; false when the step is an event of an order.</summary>
    private async Task<bool> PersonAsync(Step step, Guid[] products, StockModel model, List<Guid> holds)
    {
        switch (step.Action)
        {
            case "adjust":
                var delta = step.A - 3 == 0 ? 1 : step.A - 3;
                var adjusted = await _http.PostAsJsonAsync(
                    $"/api/inventory/{products[0]}/adjustments", new { delta, reason = "count", location = step.B % 2 == 0 ? "default" : "berlin" });
                Assert.True(adjusted.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict);
                model.OnHand[products[0]] += adjusted.StatusCode == HttpStatusCode.Created ? delta : 0;
                Assert.True(delta < 0 || adjusted.StatusCode == HttpStatusCode.Created);
                return true;
            case "hold":
                var wanted = Wanted(step, products);
                var held = await _http.PostAsJsonAsync("/api/inventory/holds", new { lines = wanted.Select(w => new { productId = w.Key, quantity = w.Value }) });
                Assert.Equal(model.Fits(wanted, []) ? HttpStatusCode.Created : HttpStatusCode.Conflict, held.StatusCode);
                if (held.StatusCode == HttpStatusCode.Created)
                {
                    var id = (Guid)(await held.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
                    holds.Add(id);
                    model.Holds.Add(id, new(wanted));
                }

                return true;
            case "lapse":
                var lapsed = holds[step.A % holds.Count];
                await _app.QueryAsync<long>("WITH u AS (UPDATE holds SET expires_at = now() - interval '1 second' WHERE id = $1 RETURNING 1) SELECT count(*) FROM u", lapsed);
                model.Holds[lapsed].Counts = false;
                if (step.B % 2 == 0)
                {
                    await _sweeper.SweepAsync(CancellationToken.None);
                }

                return true;
            default:
                return false;
        }
    }

    private (Func<EventRecord?, EventRecord> Record, Action Apply) EventOf(
        Step step, Guid order, long version, Guid[] products, StockModel model, List<Guid> holds)
    {
        var wanted = Wanted(step, products);
        (Guid, int)[] lines = [.. wanted.Select(w => (w.Key, (int)w.Value))];
        // Orders names every product that an order ever had; which ones does not matter here.
        (Guid, int)[] all = [.. products.Select(product => (product, 1))];
        switch (step.Action)
        {
            case "create":
                Guid? hold = holds.Count > 0 && step.B % 2 == 1 ? holds[^1] : null;
                return (again => Record("order.created", order, InventoryApp.Created(order, hold, lines), again), () => model.Create(order, wanted, hold));
            case "cancel" or "expire":
                var status = step.Action == "cancel" ? "cancelPending" : "expired";
                return (again => Record("order.updated", order, InventoryApp.Updated(order, version, status, all), again), () => model.Release(order, version));
            case "ship":
                return (again => Record("order.updated", order, InventoryApp.Updated(order, version, "shipped", all), again), () => model.Ship(order, version));
            case "return" or "writeOff":
                var (product, quantity, restock) = (products[step.B % 2], Math.Max(1, step.A / 2), step.Action == "return");
                return (
                    again => Record("order.updated", order, InventoryApp.Returned(order, version, restock, all, (product, quantity)), again),
                    () => model.Return(order, version, product, quantity, restock));
            default:
                var revision = JsonNode.Parse(InventoryApp.Json(InventoryApp.Updated(order, version, "revisionPending", lines)))!;
                revision["lines"] = JsonNode.Parse(InventoryApp.Json(InventoryApp.Updated(order, version, "shipped", all)))!["lines"]!.DeepClone();
                return (again => Record("order.updated", order, revision, again), () => model.Revise(order, version, wanted));
        }
    }

    private static Dictionary<Guid, long> Wanted(Step step, Guid[] products)
    {
        var wanted = new Dictionary<Guid, long> { [products[0]] = step.A, [products[1]] = step.B };
        return step.A + step.B == 0 ? new() { [products[0]] = 1 } : wanted.Where(w => w.Value > 0).ToDictionary();
    }

    private EventRecord Record(string topic, Guid order, object data, EventRecord? again)
    {
        var id = again is null ? Guid.CreateVersion7().ToString() : Encoding.UTF8.GetString(again.Headers.GetLastBytes("ce_id"));
        var headers = new Headers { { "ce_id", Encoding.UTF8.GetBytes(id) }, { "ce_type", Encoding.UTF8.GetBytes(topic + ".v1") } };
        // A partition that the real topics do not have, because dead letters are identified by partition and offset.
        return new(topic, 1000, ++_offset, order.ToString(), headers, Encoding.UTF8.GetBytes(data is JsonNode node ? node.ToJsonString() : InventoryApp.Json(data)));
    }
}
