using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using HdrHistogram;
using OrderInventory.Check.Histories;
using Spectre.Console;

namespace OrderInventory.Load.Histories;

/// <summary>The figures of a run with a history, as JSON and as a self-contained HTML page.</summary>
internal static class HistoryReport
{
    private const int Width = 960;
    private const int Height = 180;

    /// <summary>A run from the command line, without faults.</summary>
    public static async Task RunAsync(Endpoints endpoints, string file, LoadOptions options, CancellationToken cancellationToken)
    {
        var wanted = new HistoryOptions
        {
            Clients = options.Rates.Count > 0 ? Run.OpenLoopClients : options.Clients[0],
            Rate = options.Rates.Count > 0 ? options.Rates[0] : null,
            Seconds = options.Seconds,
            Orders = options.Orders,
            Seed = options.Seed,
        };
        Figures figures;
        using (var writer = new HistoryWriter(file))
        using (var run = new HistoryRun([() => endpoints], wanted, writer, AnsiConsole.WriteLine))
        {
            await run.RunAsync(null, cancellationToken);
            figures = run.Shared.Figures;
        }
        var history = await History.ReadAsync(file, cancellationToken);
        await WriteAsync(figures, history, options.JsonFile, options.HtmlFile, cancellationToken);
        AnsiConsole.WriteLine($"{history.Operations.Count} requests are in {file}.");
    }

    public static async Task WriteAsync(Figures figures, History history, string? json, string? html, CancellationToken cancellationToken)
    {
        if (json is not null)
        {
            await File.WriteAllTextAsync(json, ToJson(figures, history), cancellationToken);
        }

        if (html is not null)
        {
            await File.WriteAllTextAsync(html, ToHtml(figures, history, "OrderInventory under load"), cancellationToken);
        }
    }

    private static string ToJson(Figures figures, History history) => JsonSerializer.Serialize(
        new
        {
            startedAt = history.Run.StartedAt,
            seed = history.Run.Seed,
            requests = history.Operations.Count,
            orders = history.Operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true }).Select(o => o.Order).Distinct().Count(),
            errors = figures.Errors,
            faults = history.Faults.Select(fault => new { fault.At, fault.Until, fault.What, fault.Where }),
            latencies = figures.ByOp.ToDictionary(op => op.Key.ToString(), op => Percentiles(op.Value)),
        },
        s_json);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private static string ToHtml(Figures figures, History history, string title)
    {
        var page = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html><html lang="en"><meta charset="utf-8"><title>{{WebUtility.HtmlEncode(title)}}</title>
            <style>body{font:14px sans-serif;margin:2em;max-width:1000px}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}svg{background:#fafafa}</style>
            <h1>{{WebUtility.HtmlEncode(title)}}</h1>
            <p>{{history.Run.StartedAt:u}}, seed {{history.Run.Seed}}, {{history.Operations.Count}} requests, {{history.Faults.Count}} faults. Red bands are faults; the pointer shows which.</p>
            """);
        var end = Math.Max(1, figures.Seconds.Count);
        page.Append(Plot("Answers per second, and requests without one", end, history.Faults,
            ("answers", "#1f6feb", [.. figures.Seconds.Select((second, i) => ((double)i, (double)second.Answered))]),
            ("without an answer", "#d1242f", [.. figures.Seconds.Select((second, i) => ((double)i, (double)second.Failed))])));
        page.Append(Plot("Latency, ms", end, history.Faults,
            ("p99", "#bf8700", [.. figures.Seconds.Select((second, i) => ((double)i, second.Percentile(0.99)))]),
            ("p50", "#1a7f37", [.. figures.Seconds.Select((second, i) => ((double)i, second.Percentile(0.5)))])));
        page.Append(Plot("Rows in the outboxes, and consumer lag in records", end, history.Faults,
            ("outbox", "#8250df", [.. history.Samples.Where(s => s.Outbox is not null).Select(s => (s.At / 1000, (double)s.Outbox!))]),
            ("behind", "#1f6feb", [.. history.Samples.Where(s => s.Lag is not null).Select(s => (s.At / 1000, (double)s.Lag!))])));
        page.Append("<table><tr><th>request<th>answers<th>p50, ms<th>p90<th>p99<th>p99.9<th>max</tr>");
        foreach (var (op, histogram) in figures.ByOp)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{op}<td>{histogram.TotalCount}");
            foreach (var value in Percentiles(histogram).Values)
            {
                page.Append(CultureInfo.InvariantCulture, $"<td>{value:F1}");
            }
        }

        page.Append("</table><table><tr><th>fault<th>where<th>from, s<th>until, s</tr>");
        foreach (var fault in history.Faults)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(fault.What)}<td>{WebUtility.HtmlEncode(fault.Where)}<td>{fault.At / 1000:F1}<td>{fault.Until / 1000:F1}");
        }

        return page.Append("</table></html>").ToString();
    }

    private static Dictionary<string, double> Percentiles(LongHistogram microseconds) => new()
    {
        ["p50"] = microseconds.GetValueAtPercentile(50) / 1000.0,
        ["p90"] = microseconds.GetValueAtPercentile(90) / 1000.0,
        ["p99"] = microseconds.GetValueAtPercentile(99) / 1000.0,
        ["p999"] = microseconds.GetValueAtPercentile(99.9) / 1000.0,
        ["max"] = microseconds.GetMaxValue() / 1000.0,
    };

    private static string Plot(string title, double end, IEnumerable<FaultLine> faults, params (string Name, string Colour, (double X, double Y)[] Points)[] curves)
    {
        var top = Math.Max(1, curves.SelectMany(curve => curve.Points).Select(point => point.Y).DefaultIfEmpty(1).Max());
        double X(double second) => 50 + (second / end * (Width - 60));
        double Y(double value) => Height - 20 - (value / top * (Height - 40));
        var svg = new StringBuilder().Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2><svg width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{title}\">");
        foreach (var fault in faults)
        {
            var (from, width) = (X(fault.At / 1000), Math.Max(2, X(fault.Until / 1000) - X(fault.At / 1000)));
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{from:F1}\" y=\"20\" width=\"{width:F1}\" height=\"{Height - 40}\" fill=\"#d1242f\" opacity=\".18\"><title>{WebUtility.HtmlEncode($"{fault.What} {fault.Where}")}</title></rect>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"2\" y=\"24\" font-size=\"11\">{top:G4}</text><text x=\"2\" y=\"{Height - 18}\" font-size=\"11\">0</text><text x=\"{Width - 50}\" y=\"{Height - 4}\" font-size=\"11\">{end:F0} s</text>");
        var at = 60;
        foreach (var (name, colour, points) in curves)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{at}\" y=\"14\" font-size=\"12\" fill=\"{colour}\">{name}</text>");
            at += 150;
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" points=\"")
                .AppendJoin(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):F1},{Y(point.Y):F1}"))).Append("\"/>");
        }

        return svg.Append("</svg>").ToString();
    }
}
