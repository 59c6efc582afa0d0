using System.Globalization;
using System.Text;
using System.Text.Json;
using HdrHistogram;
using Spectre.Console;

namespace OrderInventory.Load;

/// <summary>Figures for people and for scripts.</summary>
internal static class Report
{
    private const long MaxMicroseconds = 600_000_000;

    private static readonly (string Name, Func<RunResult, string> Value)[] s_rows =
    [
        ("placed/s", r => Rate(r.PlacedPerSecond)),
        ("end-to-end orders/s", r => Rate(r.EndToEndPerSecond)),
        ("placement p50, ms", r => Time(r.Placement.P50)),
        ("placement p99, ms", r => Time(r.Placement.P99)),
        ("placement max, ms", r => Time(r.Placement.Max)),
        ("to confirmed p50, ms", r => Time(r.ToConfirmed.P50)),
        ("to confirmed p99, ms", r => Time(r.ToConfirmed.P99)),
        ("to notified p50, ms", r => Time(r.ToNotified.P50)),
        ("to notified p99, ms", r => Time(r.ToNotified.P99)),
        ("orders placed", r => Rate(r.Placed)),
        ("of them", r => Counts(r.Statuses, "none")),
        ("errors", r => Counts(r.Errors, "none")),
        ("wait for the last, s", r => Time(r.DrainSeconds)),
    ];

    public static LongHistogram NewHistogram() => new(MaxMicroseconds, 3);

    public static void RecordTo(LongHistogram histogram, TimeSpan time) =>
        histogram.RecordValue(Math.Clamp((long)time.TotalMicroseconds, 0, MaxMicroseconds));

    public static Percentiles ToPercentiles(LongHistogram microseconds) => microseconds.TotalCount == 0
        ? new(0, 0, 0)
        : new(
            microseconds.GetValueAtPercentile(50) / 1000.0, microseconds.GetValueAtPercentile(99) / 1000.0, microseconds.GetMaxValue() / 1000.0);

    public static void Print(IReadOnlyList<RunResult> results)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var result in results)
        {
            table.AddColumn(new TableColumn(Clients(result)).RightAligned());
        }

        foreach (var (name, value) in s_rows)
        {
            table.AddRow([name, .. results.Select(value)]);
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("'to confirmed' and 'to notified' are differences of times in the databases' rows, all of this machine's clock.");
        foreach (var result in results)
        {
            AnsiConsole.WriteLine($"{Clients(result)}, placed in each second: {string.Join(' ', result.PlacedBySecond)}");
        }

        foreach (var result in results.Where(result => result.ProcessorTimePerOrder.Count > 0))
        {
            AnsiConsole.WriteLine(ProcessorTimes(result));
        }

        foreach (var (result, failure) in Failures(results))
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{Clients(result)}: {failure}[/]");
        }

        if (!Failures(results).Any())
        {
            AnsiConsole.MarkupLine("[green]No order was lost, none is undecided, nothing is oversold.[/]");
        }
    }

    public static async Task WriteAsync(IReadOnlyList<RunResult> results, LoadOptions options, CancellationToken cancellationToken)
    {
        if (options.JsonFile is { } json)
        {
            await File.WriteAllTextAsync(json, JsonSerializer.Serialize(results, ResultJson.Default.IReadOnlyListRunResult), cancellationToken);
        }

        if (options.MarkdownFile is { } markdown)
        {
            await File.WriteAllTextAsync(markdown, ToMarkdown(results), cancellationToken);
        }
    }

    private static string ToMarkdown(IReadOnlyList<RunResult> results)
    {
        var text = new StringBuilder()
            .Append("| |").AppendJoin('|', results.Select(result => $" {Clients(result)} ")).Append("|\n")
            .Append("|---|").AppendJoin('|', results.Select(_ => "---:")).Append("|\n");
        foreach (var (name, value) in s_rows)
        {
            text.Append("| ").Append(name).Append(" | ").AppendJoin(" | ", results.Select(value)).Append(" |\n");
        }

        foreach (var result in results)
        {
            text.Append("\nPlaced in each second, ").Append(Clients(result)).Append(": ").AppendJoin(' ', result.PlacedBySecond).Append('\n');
        }

        foreach (var result in results.Where(result => result.ProcessorTimePerOrder.Count > 0))
        {
            text.Append('\n').Append(ProcessorTimes(result)).Append('\n');
        }

        foreach (var (result, failure) in Failures(results))
        {
            text.Append("\n**").Append(Clients(result)).Append(": ").Append(failure).Append("**\n");
        }

        return text.ToString();
    }

    private static string ProcessorTimes(RunResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"Processor time for one order, {Clients(result)}: {result.ProcessorTimePerOrder.Values.Sum():F2} ms, of it "
        + $"{string.Join(", ", result.ProcessorTimePerOrder.Where(time => time.Value >= 0.005).Select(time => string.Create(CultureInfo.InvariantCulture, $"{time.Key} {time.Value:F2}")))}.");

    private static IEnumerable<(RunResult, string)> Failures(IEnumerable<RunResult> results) =>
        results.SelectMany(result => result.Failures.Select(failure => (result, failure)));

    private static string Clients(RunResult result) =>
        $"{result.Clients} client{(result.Clients == 1 ? "" : "s")}{(result.ThroughGateway ? " (gateway)" : "")}";

    private static string Rate(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(double value) => value.ToString("N1", CultureInfo.InvariantCulture);

    private static string Counts(IReadOnlyDictionary<string, int> counts, string none) =>
        counts.Count == 0 ? none : string.Join(", ", counts.Select(count => $"{count.Value.ToString("N0", CultureInfo.InvariantCulture)} {count.Key}"));
}
