using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CsCheck;
using OrderInventory.TestSupport;

namespace OrderInventory.CrossService.Tests;

[CollectionDefinition(Name)]
public class InfrastructureCollection : ICollectionFixture<InfrastructureFixture>
{
    public const string Name = "infrastructure";
}

/// <summary>
/// Orders and Inventory together, over HTTP, through random sequences of everything that happens to an order, with duplicate, late and
/// reordered events between them. In the end no order waits, and the ledger, the levels and the lines of open orders agree. Each
/// sequence has its own seed, which a failure reports.
/// </summary>
[Collection(InfrastructureCollection.Name)]
public sealed class OrderSequenceTests(InfrastructureFixture infrastructure)
{
    private const int Sequences = 120;

    private static readonly uint s_seed = (uint)RunSetting.Of("SEQUENCE_SEED", 11);

    /// <param name="Action">One of <see cref="s_actions"/>.</param>
    /// <param name="Order">Which of the two orders.</param>
    /// <param name="A">Units of the first product, or the action's own argument.</param>
    /// <param name="B">Units of the second product, or a second argument.</param>
    /// <param name="Delay">By how many steps the resulting events are late.</param>
    /// <param name="Copies">Whether they arrive again: 1 with the same id, 2 with another.</param>
    private sealed record Step(string Action, int Order, int A, int B, int Delay, int Copies);

    /// <summary>The first action on an order places it, whatever the step says.</summary>
    private static readonly string[] s_actions = ["adjust", "revise", "revise", "revise", "cancel", "ship", "ship", "deliver", "return", "sweep", "expire"];

    private static readonly Gen<Step[]> s_sequences = Gen.Select(
        Gen.OneOfConst(s_actions), Gen.Int[0, 1], Gen.Int[0, 6], Gen.Int[0, 6], Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 6])), Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 2])),
        (action, order, a, b, delay, copies) => new Step(action, order, a, b, delay, copies)).Array[6, 18];

    private readonly HashSet<string> _seen = [];

    private sealed class Model(Guid[] products)
    {
        public Guid[] Products { get; } = products;
        public Dictionary<Guid, long> OnHand { get; } = new() { [products[0]] = 10, [products[1]] = 6 };
        public Guid?[] Orders { get; } = new Guid?[2];
    }

    [Theory]
    [InlineData("Rest")]
    [InlineData("None")]
    public async Task The_records_of_both_services_agree_after_any_sequence_of_orders(string stockCheck)
    {
        await using var services = await OrdersAndInventory.StartAsync(infrastructure, stockCheck);
        for (var sequence = 1u; sequence <= Sequences; sequence++)
        {
            var steps = s_sequences.Generate(new PCG(s_seed, sequence), null, out _);
            try
            {
                await RunAsync(steps, services);
            }
            catch (Exception exception) when (exception is Xunit.Sdk.XunitException)
            {
                Assert.Fail($"SEQUENCE_SEED={s_seed}, sequence {sequence}: {exception.Message}\n{string.Join('\n', steps.Select((step, i) => $"{i}: {step}"))}");
            }
        }

        Assert.Empty(await services.DeadLettersAsync());
        // Sequences in which nothing happens would prove nothing.
        string[] expected = ["confirmed", "rejected", "expired", "cancelled", "shipped", "delivered", "returned", "revision applied", "revision rejected"];
        Assert.Superset(expected.Where(e => stockCheck == "None" || e is not ("rejected" or "revision rejected")).ToHashSet(), _seen);
    }

    private async Task RunAsync(Step[] steps, OrdersAndInventory services)
    {
        var model = new Model([await services.ProductAsync(10), await services.ProductAsync(6)]);
        for (var i = 0; i < steps.Length; i++)
        {
            await DoAsync(steps[i], model, services);
            await services.Carrier.CarryAsync(i, steps[i].Delay, steps[i].Copies);
        }

        await services.Carrier.CarryAsync(int.MaxValue - 10, 0, 0);
        await AssertBooksAgreeAsync(model, services);
    }

    private async Task DoAsync(Step step, Model model, OrdersAndInventory services)
    {
        if (step.Action == "adjust")
        {
            var delta = step.A - 3 == 0 ? 1 : step.A - 3;
            var adjusted = await services.Inventory.PostAsJsonAsync($"/api/inventory/{model.Products[0]}/adjustments", new { delta, reason = "count" });
            Assert.True(adjusted.StatusCode == HttpStatusCode.Created || (delta < 0 && adjusted.StatusCode == HttpStatusCode.Conflict), adjusted.StatusCode.ToString());
            model.OnHand[model.Products[0]] += adjusted.StatusCode == HttpStatusCode.Created ? delta : 0;
        }
        else if (model.Orders[step.Order] is { } id)
        {
            await ChangeAsync(step, model, id, services);
        }
        else
        {
            await PlaceAsync(step, model, services);
        }
    }

    /// <summary>Sends the order again if the step says so: the same key must return the same order.</summary>
    private async Task PlaceAsync(Step step, Model model, OrdersAndInventory services)
    {
        var key = Guid.CreateVersion7().ToString();
        for (var times = 0; times <= step.Copies; times++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = JsonContent.Create(new { customerId = services.Customer, lines = Lines(step, model) }) };
            request.Headers.Add("Idempotency-Key", key);
            var placed = await services.Orders.SendAsync(request);
            if (placed.StatusCode == HttpStatusCode.Conflict)
            {
                _seen.Add("refused");
                continue;
            }

            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
            var id = (Guid)(await placed.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
            Assert.Equal(model.Orders[step.Order] ?? id, id);
            model.Orders[step.Order] = id;
        }
    }

    private async Task ChangeAsync(Step step, Model model, Guid id, OrdersAndInventory services)
    {
        var order = await services.OrderAsync(id);
        var status = (string)order["status"]!;
        switch (step.Action)
        {
            case "revise":
                using (var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{id}/lines") { Content = JsonContent.Create(new { lines = Lines(step, model) }) })
                {
                    request.Headers.Add("If-Match", $"\"{order["version"]}\"");
                    var revised = await services.Orders.SendAsync(request);
                    Assert.True(revised.StatusCode == HttpStatusCode.Conflict || (status == "confirmed" && revised.StatusCode == HttpStatusCode.Accepted), $"{revised.StatusCode} from {status}");
                }

                break;
            case "cancel":
                var cancelled = await services.Orders.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = "changed their mind" });
                Assert.Equal(
                    status switch
                    {
                        "pending" or "confirmed" or "revisionPending" or "cancelPending" => HttpStatusCode.Accepted,
                        "cancelled" => HttpStatusCode.OK,
                        _ => HttpStatusCode.Conflict,
                    },
                    cancelled.StatusCode);
                break;
            case "ship":
                var shipped = await services.Orders.PostAsJsonAsync($"/api/orders/{id}/ship", new { });
                Assert.Equal(status is "confirmed" or "shipped" ? HttpStatusCode.OK : HttpStatusCode.Conflict, shipped.StatusCode);
                foreach (var line in status == "confirmed" ? order["lines"]!.AsArray() : [])
                {
                    model.OnHand[(Guid)line!["productId"]!] -= (long)line["quantity"]!;
                }

                break;
            case "deliver":
                Assert.Equal(
                    status is "shipped" or "delivered" ? HttpStatusCode.OK : HttpStatusCode.Conflict,
                    (await services.Orders.PostAsync($"/api/orders/{id}/deliver", null)).StatusCode);
                break;
            case "return":
                var (product, quantity, restock) = (model.Products[step.B % 2], Math.Max(1, step.A / 2), step.B < 4);
                var returned = await services.Orders.PostAsJsonAsync($"/api/orders/{id}/returns", new { lines = new[] { new { productId = product, quantity } }, restock });
                var returnable = Units(order["lines"]!.AsArray(), product) - order["returns"]!.AsArray().Sum(r => Units(r!["lines"]!.AsArray(), product));
                Assert.Equal(
                    Units(order["lines"]!.AsArray(), product) == 0 ? HttpStatusCode.UnprocessableEntity
                    : status is "shipped" or "delivered" && quantity <= returnable ? HttpStatusCode.Created
                    : HttpStatusCode.Conflict,
                    returned.StatusCode);
                if (returned.StatusCode == HttpStatusCode.Created)
                {
                    _seen.Add("returned");
                    model.OnHand[product] += restock ? quantity : 0;
                }

                break;
            default:
                // As if the order had waited that long: the sweep queries Inventory, sends the event again or, in the end, lets the order expire.
                await services.AgeOrderAsync(id, TimeSpan.FromMinutes(step.Action == "expire" ? 20 : 1));
                await services.Sweeper.SweepAsync(CancellationToken.None);
                break;
        }
    }

    private async Task AssertBooksAgreeAsync(Model model, OrdersAndInventory services)
    {
        var orders = new List<JsonNode>();
        foreach (var id in model.Orders.OfType<Guid>())
        {
            await HistoryCheck.TimelineAsync(services.Orders, id);
            var order = await services.OrderAsync(id);
            orders.Add(order);
            var status = (string)order["status"]!;
            _seen.Add(status);
            _seen.Add($"revision {(string?)order["revision"]?["status"]}");
            Assert.Contains(status, (string[])["confirmed", "rejected", "expired", "cancelled", "shipped", "delivered"]);
            Assert.False(status == "confirmed" && (string?)order["revision"]?["status"] == "pending");
        }

        var open = orders.Where(order => (string)order["status"]! == "confirmed").SelectMany(order => order["lines"]!.AsArray()).ToList();
        foreach (var product in model.Products)
        {
            var level = (await services.Inventory.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!;
            Assert.Equal((model.OnHand[product], Units(open, product)), ((long)level["onHand"]!, (long)level["reserved"]!));
            await HistoryCheck.LedgerAsync(services.Inventory, product);
        }

        var report = (await services.Inventory.GetFromJsonAsync<JsonNode>($"/api/inventory/reconciliation?productIds={string.Join(',', model.Products)}"))!;
        Assert.Equal(2, report["items"]!.AsArray().Count);
        Assert.All(report["items"]!.AsArray(), item => Assert.Equal(
            "True 0 0", $"{item!["balanced"]!.GetValue<bool>()} {item["difference"]} {item["pendingOrders"]}"));
    }

    private static object[] Lines(Step step, Model model)
    {
        (Guid Product, int Quantity)[] wanted = [(model.Products[0], step.A + step.B == 0 ? 1 : step.A), (model.Products[1], step.B)];
        return [.. wanted.Where(line => line.Quantity > 0).Select(line => new { productId = line.Product, quantity = line.Quantity })];
    }

    private static long Units(IEnumerable<JsonNode?> lines, Guid product) => lines.Where(line => (Guid)line!["productId"]! == product).Sum(line => (long)line!["quantity"]!);
}
