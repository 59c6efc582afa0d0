using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;
using Xunit.Abstractions;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>
/// Random requests made from our own OpenAPI documents, against the running system: no answer may be a 500 or have a status that its
/// operation does not document. Bounded and seeded: FUZZ_SEED and FUZZ_REQUESTS (for each operation) change a run.
/// </summary>
[Collection(SystemCollection.Name)]
public sealed class ApiFuzzTests(SystemFixture system, ITestOutputHelper output)
{
    private static readonly string[] s_methods = ["get", "put", "post", "patch", "delete"];

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_answer_is_500_or_undocumented(string service)
    {
        var (missed, seen, complaints) = await FuzzAsync(service, RunSetting.Of("FUZZ_REQUESTS", 120), system.Gateway, await SomeResourcesAsync());

        // Products and Customers have dead letters only for records that the broker refused, which does not happen here.
        complaints.AddRange(missed
            .Where(m => !m.Path.StartsWith("/api/products/dead-letters/", StringComparison.Ordinal) && !m.Path.StartsWith("/api/customers/dead-letters/", StringComparison.Ordinal))
            .Select(m => $"{m.Method} {m.Path}: every request was 400 or 404, so the operation was never executed"));
        Report(complaints, seen);
        Assert.Contains(seen, s => s.Key is 200 or 201);
        Assert.Contains(400, seen.Keys);
    }

    /// <summary>The same with roles that may not do everything, and without a token.</summary>
    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_role_is_answered_500_or_undocumented(string service)
    {
        var resources = await SomeResourcesAsync();
        var customer = Guid.Parse(resources.Single(url => url.StartsWith("/api/customers/", StringComparison.Ordinal))["/api/customers/".Length..]);
        foreach (var role in new[] { "customer", "support", "inventory-manager", "catalog-manager", "" })
        {
            using var client = role switch
            {
                "customer" => await system.Runner.CreateCustomerClientAsync(customer),
                "" => new HttpClient { BaseAddress = system.Gateway.BaseAddress },
                _ => await system.Runner.CreateClientAsync(role),
            };

            var (_, seen, complaints) = await FuzzAsync(service, RunSetting.Of("FUZZ_REQUESTS", 120) / 20, client, resources);

            Report(complaints, seen);
            Assert.Contains(role.Length == 0 ? 401 : 403, seen.Keys);
            Assert.True(role.Length > 0 || seen.Keys.All(status => status is 401 or 204 or 404 or 405), $"without a token the answers were {string.Join(", ", seen.Keys)}");
        }
    }

    private void Report(List<string> complaints, Dictionary<int, int> seen)
    {
        var seed = RunSetting.Of("FUZZ_SEED", 20261124);
        output.WriteLine($"seed {seed}: {string.Join(", ", seen.OrderBy(s => s.Key).Select(s => $"{s.Value} x {s.Key}"))}");
        Assert.True(complaints.Count == 0, $"seed {seed}, {complaints.Count} answers:\n{string.Join('\n', complaints.GroupBy(c => c[..c.IndexOf(": ", c.IndexOf(": ", StringComparison.Ordinal) + 2, StringComparison.Ordinal)]).Select(g => $"{g.Count()} x {g.First()}"))}");
    }

    private async Task<(HashSet<(string Path, string Method)> Missed, Dictionary<int, int> Seen, List<string> Complaints)> FuzzAsync(
        string service, int requests, HttpClient caller, string[] resources)
    {
        var document = (await system.Gateway.GetFromJsonAsync<JsonObject>($"/openapi/{service}.json"))!;
        var random = new Random(RunSetting.Of("FUZZ_SEED", 20261124));
        var known = new KnownResources(random, resources);
        var generator = new RequestGenerator(document, known, random);
        // A client that sends any byte in a header, as real clients do.
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 })
        {
            BaseAddress = system.Gateway.BaseAddress,
            DefaultRequestHeaders = { Authorization = caller.DefaultRequestHeaders.Authorization },
        };
        var complaints = new List<string>();
        var seen = new Dictionary<int, int>();
        // The stream never ends; it has its own tests.
        var operations = document["paths"]!.AsObject().Where(path => path.Key != "/api/stream").SelectMany(path => s_methods.Where(m => path.Value![m] is not null).Select(m => (Path: path.Key, Method: m))).ToList();
        var missed = operations.ToHashSet();
        // In random order, so that requests meet what others have made, changed and deleted.
        var order = Enumerable.Repeat(operations, requests).SelectMany(all => all).ToArray();
        random.Shuffle(order);
        // The operation that discards all dead letters at once comes last: it would leave none for the others.
        order = [.. order.OrderBy(operation => operation.Path.EndsWith("/dead-letters/discard", StringComparison.Ordinal))];
        foreach (var (path, method) in order)
        {
            var item = document["paths"]![path]!;
            var operation = item[method]!;
            using var request = generator.Make(method, path, operation, item["parameters"]);
            if (random.Next(10) == 0)
            {
                request.Method = method == "get" && random.Next(3) > 0 ? HttpMethod.Head : HttpMethod.Options;
            }

            var body = request.Content is null ? null : Encoding.UTF8.GetString(await request.Content.ReadAsByteArrayAsync());
            using var response = await client.SendAsync(request);
            var answer = await response.Content.ReadAsStringAsync();
            known.Learn(request, response, AsJson(answer));
            var status = (int)response.StatusCode;
            seen[status] = seen.GetValueOrDefault(status) + 1;
            var isDocumented = request.Method == HttpMethod.Options ? status is 204 or 404 || (status == 401 && caller.DefaultRequestHeaders.Authorization is null) : operation["responses"]?[status.ToString(CultureInfo.InvariantCulture)] is not null;
            // 429 and 503 are documented everywhere, and neither is expected here: every service runs, and the load is low.
            if (!isDocumented || status is 429 or >= 500 || (request.Method == HttpMethod.Head && answer.Length > 0))
            {
                complaints.Add($"{request.Method} {path}: {status}: {request.RequestUri} {Short(body)} -> {Short(answer)}");
            }

            // 404 means that there is no such resource, and 400 and 415 are decided before the lookup.
            if (status is not (400 or 404 or 415) && request.Method.Method.Equals(method, StringComparison.OrdinalIgnoreCase))
            {
                missed.Remove((path, method));
            }
        }

        return (missed, seen, complaints);
    }

    /// <summary>Makes one of each resource that requests need and that no request of the run creates.</summary>
    private async Task<string[]> SomeResourcesAsync()
    {
        var shop = new Shop(system.Gateway);
        var customer = await shop.CustomerAsync();
        var product = await shop.ProductAsync(1000);
        var order = (Guid)(await shop.PlaceAsync(customer, (product, 1))).Body["id"]!;
        using var kafka = new KafkaProbe(await system.Runner.ConnectionStringAsync("kafka"));
        var poison = Enumerable.Range(0, 8).Select(_ => Guid.CreateVersion7().ToString()).ToList();
        foreach (var key in poison)
        {
            await kafka.PublishAsync("order.created", "order.created.v1", key, "{");
            await kafka.PublishAsync("inventory.reservation", "inventory.reservation.v1", key, "{");
        }

        foreach (var service in new[] { "orders", "inventory", "notifications" })
        {
            await Eventually.TrueAsync(
                async () => (await shop.GetAsync($"/api/{service}/dead-letters?limit=100"))["items"]!.AsArray().Count(letter => poison.Contains((string)letter!["key"]!)) == poison.Count,
                TimeSpan.FromSeconds(30), $"{service} writes a dead letter");
        }

        return
        [
            $"/api/orders/{order}", $"/api/customers/{customer}", $"/api/products/{product}", $"/api/inventory/{product}", $"/api/inventory/reservations/{order}",
            "/api/inventory/locations/default", "/api/notifications/templates/orderShipped/email/en",
        ];
    }

    private static JsonNode? AsJson(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Short(string? text) => text is null ? "" : text.Length > 300 ? text[..300] + " ..." : text;
}
