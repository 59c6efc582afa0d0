using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>A span as a service exported it.</summary>
internal sealed record ExportedSpan(string Service, string TraceId, string SpanId, string ParentId, string Name, string Source);

/// <summary>
/// An OpenTelemetry collector that keeps the spans and the metrics' names that it receives by OTLP over HTTP (opentelemetry-proto, trace/v1
/// and metrics/v1).
/// </summary>
internal sealed class SpanCollector : IAsyncDisposable
{
    private readonly WebApplication _server;

    private SpanCollector(WebApplication server) => _server = server;

    public ConcurrentBag<ExportedSpan> Spans { get; } = [];

    /// <summary>The metrics' names in Prometheus, so that they can be compared with those in a rule.</summary>
    public ConcurrentDictionary<string, bool> Metrics { get; } = [];

    /// <summary>Everything received: <c>traces</c>, <c>metrics</c> or <c>logs</c>, and the request's body.</summary>
    public ConcurrentBag<(string Signal, byte[] Body)> Exports { get; } = [];

    public string Endpoint => _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<SpanCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new SpanCollector(builder.Build());
        collector._server.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            collector.Exports.Add((signal, body.ToArray()));
            if (signal == "traces")
            {
                collector.Read(body.ToArray());
            }
            else if (signal == "metrics")
            {
                foreach (var metric in Fields(body.ToArray(), 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)))
                {
                    collector.Metrics[PrometheusName(metric)] = true;
                }
            }

            return Results.Bytes([], "application/x-protobuf");
        });
        await collector._server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private void Read(byte[] request)
    {
        foreach (var resourceSpans in Fields(request, 1))
        {
            var service = Fields(resourceSpans, 1).SelectMany(resource => Fields(resource, 1)).Select(Attribute).FirstOrDefault(a => a.Key == "service.name").Value;
            foreach (var (span, source) in Fields(resourceSpans, 2).SelectMany(scope => Fields(scope, 2).Select(span => (span, Source(scope)))))
            {
                Spans.Add(new(
                    service ?? "", Hex(Fields(span, 1)), Hex(Fields(span, 2)), Hex(Fields(span, 4)),
                    System.Text.Encoding.UTF8.GetString(Fields(span, 5).Single()), source));
            }
        }
    }

    /// <summary>The default translation: the unit "s" is appended as "seconds" and, for a counter, "total"; a unit in braces is not.</summary>
    private static string PrometheusName(byte[] metric)
    {
        var name = System.Text.Encoding.UTF8.GetString(Fields(metric, 1).Single()).Replace('.', '_');
        var unit = Fields(metric, 3).Select(System.Text.Encoding.UTF8.GetString).FirstOrDefault() == "s" ? "_seconds" : "";
        return name + unit + (Fields(metric, 7).Count > 0 ? "_total" : "");
    }

    /// <summary>The name of the library, or of our own component, that made the spans.</summary>
    private static string Source(byte[] scope) => Fields(scope, 1).SelectMany(library => Fields(library, 1)).Select(System.Text.Encoding.UTF8.GetString).FirstOrDefault() ?? "";

    private static (string Key, string? Value) Attribute(byte[] attribute) => (
        System.Text.Encoding.UTF8.GetString(Fields(attribute, 1).Single()),
        Fields(attribute, 2).SelectMany(value => Fields(value, 1)).Select(System.Text.Encoding.UTF8.GetString).FirstOrDefault());

    private static string Hex(IEnumerable<byte[]> field) => Convert.ToHexStringLower(field.FirstOrDefault() ?? []);

    /// <summary>The length-delimited fields with this number in a message: strings, bytes and messages.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var fields = new List<byte[]>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                fields.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return fields;
    }
}
