using System.Globalization;
using System.Text;
using OrderInventory.Load.Processes;

namespace OrderInventory.Load.Growth;

/// <summary>The sizes side by side, as a table in Markdown and as a plot.</summary>
internal static class GrowthReport
{
    public static async Task WriteAsync(IReadOnlyList<SizeResult> results, LoadOptions options, CancellationToken cancellationToken)
    {
        var markdown = ToMarkdown(results);
        Console.WriteLine(markdown);
        if (options.MarkdownFile is { } file)
        {
            await File.WriteAllTextAsync(file, markdown, cancellationToken);
        }

        if (options.SvgFile is { } svg)
        {
            await File.WriteAllTextAsync(svg, Plot.Draw(
                "orders in the tables", "ms (reads: median)",
                [
                    .. results[0].Reads.Select((read, i) => new Series(read.Name, [.. results.Select(result => (result.Orders, result.Reads[i].Latency.P50))])),
                    new("processor time of one order", [.. results.Select(result => (result.Orders, ProcessorTime.OfSystem(result.Load.ProcessorTimePerOrder)))], Bold: true),
                ]), cancellationToken);
        }
    }

    private static string ToMarkdown(IReadOnlyList<SizeResult> results)
    {
        var text = new StringBuilder("| orders in the tables | ").AppendJoin(" | ", results.Select(r => Number(r.Orders, "N0"))).Append(" |\n|---|")
            .Append(string.Concat(results.Select(_ => "---:|"))).Append('\n');
        Row("and after the load", r => Number(r.OrdersAfter, "N0"));
        Row("size of the three databases, MB", r => Number(r.Megabytes, "N0"));
        Row($"end-to-end orders/s, {results[0].Load.Clients} clients", r => Number(r.Load.EndToEndPerSecond, "N0"));
        Row("processor time of one order, ms", r => Number(ProcessorTime.OfSystem(r.Load.ProcessorTimePerOrder), "N2"));
        Row("placement p50, p99, ms", r => Pair(r.Load.Placement));
        Row("to confirmed p50, p99, ms", r => Pair(r.Load.ToConfirmed));
        for (var i = 0; i < results[0].Reads.Count; i++)
        {
            var number = i;
            Row($"{results[0].Reads[i].Name}: p50, p99, ms", r => Pair(r.Reads[number].Latency));
        }

        foreach (var result in results)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nProcessor time for one order at {result.Orders:N0}: {ProcessorTime.Describe([result.Load])}\n");
        }

        foreach (var (result, failure) in results.SelectMany(result => result.Load.Failures.Select(failure => (result, failure))))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n**{result.Orders:N0}: {failure}**\n");
        }

        return text.ToString();

        void Row(string name, Func<SizeResult, string> value) => text.Append("| ").Append(name).Append(" | ").AppendJoin(" | ", results.Select(value)).Append(" |\n");
    }

    private static string Pair(Percentiles times) => $"{Number(times.P50, "N1")}, {Number(times.P99, "N1")}";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
