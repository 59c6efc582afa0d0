using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>
/// Random requests made from our own OpenAPI documents, against the running system: no answer may be a 500, and none may have a status
/// that its operation does not document. Bounded and seeded: FUZZ_SEED and FUZZ_REQUESTS (for each operation) change a run.
/// </summary>
[Collection(SystemCollection.Name)]
public sealed class ApiFuzzTests(SystemFixture system, ITestOutputHelper output)
{
    private static readonly string[] s_methods = ["get", "put", "post", "patch", "delete"];

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_answer_is_500_or_undocumented(string service)
    {
        var seed = Setting("FUZZ_SEED", 20261124);
        var requests = Setting("FUZZ_REQUESTS", 40);
        var document = (await system.Gateway.GetFromJsonAsync<JsonObject>($"/openapi/{service}.json"))!;
        var shop = new Shop(system.Gateway);
        var customer = await shop.CustomerAsync();
        var product = await shop.ProductAsync(1000);
        var order = (Guid)(await shop.PlaceAsync(customer, (product, 1))).Body["id"]!;
        var ids = new Dictionary<string, IReadOnlyList<Guid>>
        {
            ["orders"] = [order],
            ["customers"] = [customer],
            ["products"] = [product],
            ["inventory/reservations"] = [order],
            ["inventory"] = [product],
        };
        var generator = new RequestGenerator(document, ids, new Random(seed));
        var complaints = new List<string>();
        var seen = new Dictionary<int, int>();
        foreach (var (path, item) in document["paths"]!.AsObject())
        {
            foreach (var method in s_methods.Where(m => item![m] is not null))
            {
                var operation = item![method]!;
                for (var i = 0; i < requests; i++)
                {
                    using var request = generator.Make(method, path, operation, item["parameters"]);
                    var body = request.Content is null ? null : await request.Content.ReadAsStringAsync();
                    using var response = await system.Gateway.SendAsync(request);
                    var status = (int)response.StatusCode;
                    seen[status] = seen.GetValueOrDefault(status) + 1;
                    if (status == 500 || operation["responses"]?[status.ToString(CultureInfo.InvariantCulture)] is null)
                    {
                        var answer = await response.Content.ReadAsStringAsync();
                        complaints.Add($"{method} {path}: {status}: {request.RequestUri} {Short(body)} -> {Short(answer)}");
                    }
                }
            }
        }

        output.WriteLine($"seed {seed}: {string.Join(", ", seen.OrderBy(s => s.Key).Select(s => $"{s.Value} x {s.Key}"))}");
        Assert.True(complaints.Count == 0, $"seed {seed}, {complaints.Count} answers:\n{string.Join('\n', complaints.GroupBy(c => c[..c.IndexOf(": ", c.IndexOf(": ", StringComparison.Ordinal) + 2, StringComparison.Ordinal)]).Select(g => $"{g.Count()} x {g.First()}"))}");
        Assert.Contains(seen, s => s.Key is 200 or 201);
        Assert.Contains(400, seen.Keys);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static string Short(string? text) => text is null ? "" : text.Length > 300 ? text[..300] + " ..." : text;
}
