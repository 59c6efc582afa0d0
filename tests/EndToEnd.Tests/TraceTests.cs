using System.Net;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

public sealed class TraceTests
{
    [Fact]
    public async Task One_order_is_one_trace_from_the_request_to_the_notification()
    {
        await using var collector = await SpanCollector.StartAsync();
        await using var system = await AppHostRunner.StartAsync(
            ["--Infrastructure:Mail=pickup", $"--Otlp:Endpoint={collector.Endpoint}", "--Otlp:Protocol=http/protobuf"]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var (customer, product) = (await shop.CustomerAsync(), await shop.ProductAsync(stock: 10));

        var (status, order) = await shop.PlaceAsync(customer, (product, 1));
        Assert.Equal((HttpStatusCode.Created, "confirmed"), (status, (string?)order["status"]));

        string[] stations =
        [
            "gateway", "orders", "orders publish order.created", "inventory process order.created", "inventory publish inventory.reservation",
            "orders process inventory.reservation", "orders publish order.updated", "notifications process order.created", "notifications process order.updated",
            "notifications send",
        ];
        var whole = await Eventually.NotNullAsync(
            () => Task.FromResult(collector.Spans.GroupBy(span => span.TraceId).FirstOrDefault(trace => stations.All(station => Has(trace, station)))),
            TimeSpan.FromSeconds(60),
            "one trace with every station");

        // One root; every other span hangs below a span of the same trace. Each service exports in batches of its own, and a parent ends
        // after its children, so it may come later.
        await Eventually.TrueAsync(
            () =>
            {
                var spans = collector.Spans.Where(span => span.TraceId == whole.Key).ToList();
                var ids = spans.Select(span => span.SpanId).ToHashSet();
                return spans.Count(span => !ids.Contains(span.ParentId)) == 1;
            },
            TimeSpan.FromSeconds(60),
            "one root");

        // Sweeps, leases and senders ask the database every second. What they ask is no trace of its own; one that asked for nothing else is there to compare.
        Assert.Contains(collector.Spans, span => span.Source == "Npgsql");
        Assert.DoesNotContain(collector.Spans, span => span.ParentId.Length == 0 && span.Source is "Npgsql" or "OpenTelemetry.Instrumentation.StackExchangeRedis");
    }

    private static bool Has(IEnumerable<ExportedSpan> trace, string station)
    {
        var (service, name) = station.Split(' ', 2) is [var s, var n] ? (s, n) : (station, "");
        return trace.Any(span => span.Service == service && span.Name.StartsWith(name, StringComparison.Ordinal));
    }
}
