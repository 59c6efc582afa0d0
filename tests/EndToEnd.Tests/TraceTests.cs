using System.Net;
using System.Text.RegularExpressions;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>A system that sends its telemetry to the test's own collector.</summary>
public sealed class ExportingSystem : IAsyncLifetime
{
    private SpanCollector? _collector;
    private AppHostRunner? _runner;

    internal SpanCollector Collector => _collector!;

    public AppHostRunner Runner => _runner!;

    public async Task InitializeAsync()
    {
        _collector = await SpanCollector.StartAsync();
        string[] services = ["orders", "inventory", "products", "customers", "notifications"];
        _runner = await AppHostRunner.StartAsync(
        [
            "--Infrastructure:Mail=pickup", $"--Otlp:Endpoint={_collector.Endpoint}", "--Otlp:Protocol=http/protobuf",
            // By default metrics are exported once a minute.
            .. services.Select(service => $"--Environment:{service}:OTEL_METRIC_EXPORT_INTERVAL=2000"),
        ]);
        await _runner.WaitUntilHealthyAsync("gateway");
    }

    public async Task DisposeAsync()
    {
        if (_runner is not null)
        {
            await _runner.DisposeAsync();
        }

        await _collector!.DisposeAsync();
    }
}

public sealed partial class TraceTests(ExportingSystem exporting) : IClassFixture<ExportingSystem>
{
    [Fact]
    public async Task Every_metric_that_an_alert_names_is_exported()
    {
        var rules = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy/alerts/order-inventory.yml"));
        var named = Expression().Matches(rules).SelectMany(line => Metric().Matches(line.Groups["expression"].Value)).Select(name => name.Value).Distinct().ToList();
        Assert.True(named.Count >= 8, string.Join(' ', named));
        await Eventually.TrueAsync(
            () => named.TrueForAll(exporting.Collector.Metrics.ContainsKey), TimeSpan.FromSeconds(60),
            $"of {string.Join(", ", named)} all; there are {string.Join(", ", exporting.Collector.Metrics.Keys.Order())}");
    }

    [Fact]
    public async Task One_order_is_one_trace_from_the_request_to_the_notification()
    {
        var (collector, system) = (exporting.Collector, exporting.Runner);
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

        // One root; every other span has its parent in the same trace. Each service exports its own batches, and a parent ends after its
        // children, so it may arrive later.
        List<ExportedSpan> Roots()
        {
            var spans = collector.Spans.Where(span => span.TraceId == whole.Key).ToList();
            var ids = spans.Select(span => span.SpanId).ToHashSet();
            return [.. spans.Where(span => !ids.Contains(span.ParentId))];
        }

        try
        {
            await Eventually.TrueAsync(() => Roots().Count == 1, TimeSpan.FromSeconds(60), "one root");
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The trace has these roots: {string.Join("; ", Roots())}");
        }

        // Sweeps, leases and senders query the database every second. These queries must not start traces; other Npgsql spans do arrive.
        Assert.Contains(collector.Spans, span => span.Source == "Npgsql");
        Assert.DoesNotContain(collector.Spans, span => span.ParentId.Length == 0 && span.Source is "Npgsql" or "OpenTelemetry.Instrumentation.StackExchangeRedis");
    }

    [GeneratedRegex("^ +expr: (?<expression>.+)$", RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex(@"(?<!by \([^)]*)(messaging|orders|inventory|notifications)_[a-z_]+(?=[ )[])")]
    private static partial Regex Metric();

    private static bool Has(IEnumerable<ExportedSpan> trace, string station)
    {
        var (service, name) = station.Split(' ', 2) is [var s, var n] ? (s, n) : (station, "");
        return trace.Any(span => span.Service == service && span.Name.StartsWith(name, StringComparison.Ordinal));
    }
}
