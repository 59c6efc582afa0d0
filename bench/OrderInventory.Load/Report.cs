using System.Globalization;
using System.Text;
using System.Text.Json;
using HdrHistogram;
using OrderInventory.Load.Processes;
using Spectre.Console;

namespace OrderInventory.Load;

/// <summary>Reports figures for people and for scripts. The runs with one number of clients, or with one rate, are a column.</summary>
internal static class Report
{
    private const long MaxMicroseconds = 600_000_000;

    private static readonly (string Name, Func<Column, string> Value)[] s_rows =
    [
        ("placed/s", c => c.Median(r => r.PlacedPerSecond, "N0")),
        ("end-to-end orders/s", c => c.Median(r => r.EndToEndPerSecond, "N0")),
        ("placement p50, ms", c => c.Median(r => r.Placement.P50, "N1")),
        ("placement p99, ms", c => c.Median(r => r.Placement.P99, "N1")),
        ("placement max, ms", c => c.Median(r => r.Placement.Max, "N1")),
        ("to confirmed p50, ms", c => c.Median(r => r.ToConfirmed.P50, "N1")),
        ("to confirmed p99, ms", c => c.Median(r => r.ToConfirmed.P99, "N1")),
        ("to confirmed max, ms", c => c.Median(r => r.ToConfirmed.Max, "N1")),
        ("to notified p50, ms", c => c.Median(r => r.ToNotified.P50, "N1")),
        ("to notified p99, ms", c => c.Median(r => r.ToNotified.P99, "N1")),
        ("orders placed", c => c.Median(r => r.Placed, "N0")),
        ("of these, all runs", c => c.Counts(r => r.Statuses)),
        ("errors, all runs", c => c.Counts(r => r.Errors)),
        ("wait for the last, s", c => c.Median(r => r.DrainSeconds, "N1")),
        ("processor time of one order, ms", c => c.Median(r => ProcessorTime.OfSystem(r.ProcessorTimePerOrder), "N2")),
        ("driver's processor time, ms", c => c.Median(r => ProcessorTime.OfDriver(r.ProcessorTimePerOrder), "N2")),
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
        var columns = Column.Of(results);
        var table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column.Title).RightAligned());
        }

        foreach (var (name, value) in s_rows)
        {
            table.AddRow([name, .. columns.Select(value)]);
        }

        AnsiConsole.Write(table);
        foreach (var line in Notes(columns))
        {
            AnsiConsole.WriteLine(line);
        }

        foreach (var (column, failure) in Failures(columns))
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{column.Title}: {failure}[/]");
        }

        if (!Failures(columns).Any())
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
            await File.WriteAllTextAsync(markdown, ToMarkdown(Column.Of(results)), cancellationToken);
        }
    }

    private static string ToMarkdown(List<Column> columns)
    {
        var text = new StringBuilder()
            .Append("| |").AppendJoin('|', columns.Select(column => $" {column.Title} ")).Append("|\n")
            .Append("|---|").AppendJoin('|', columns.Select(_ => "---:")).Append("|\n");
        foreach (var (name, value) in s_rows)
        {
            text.Append("| ").Append(name).Append(" | ").AppendJoin(" | ", columns.Select(value)).Append(" |\n");
        }

        foreach (var line in Notes(columns))
        {
            text.Append('\n').Append(line).Append('\n');
        }

        foreach (var (column, failure) in Failures(columns))
        {
            text.Append("\n**").Append(column.Title).Append(": ").Append(failure).Append("**\n");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Notes(List<Column> columns)
    {
        if (columns.Exists(column => column.Runs.Count > 1))
        {
            yield return "Medians, with the lowest and the highest of the runs in brackets.";
        }

        yield return columns.TrueForAll(column => column.Runs.All(run => run.ConfirmedAtCommit))
            ? "'to confirmed' ends with the commit of the confirmation (track_commit_timestamp)."
            : "'to confirmed' ends with the order's updated_at, which is taken before the confirmation is written: PostgreSQL does not keep the times of commits (track_commit_timestamp is off).";
        if (columns.Sum(column => column.Runs.Sum(run => run.MailsGivenUp)) is > 0 and var mails)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Between the runs, {mails:N0} mails that were still pending were given up.");
        }

        foreach (var column in columns)
        {
            foreach (var run in column.Runs)
            {
                yield return $"Placed in each second, {column.Title}: {string.Join(' ', run.PlacedBySecond)}";
            }
        }

        foreach (var column in columns.Where(column => column.Runs.Any(run => run.ProcessorTimePerOrder.Count > 0)))
        {
            yield return $"Processor time for one order, {column.Title}: {ProcessorTime.Describe(column.Runs)}";
        }
    }

    private static IEnumerable<(Column, string)> Failures(IEnumerable<Column> columns) =>
        columns.SelectMany(column => column.Runs.SelectMany(run => run.Failures.Select(failure => (column, failure))));

    /// <summary>The runs with one number of clients, or with one rate.</summary>
    private sealed record Column(string Title, IReadOnlyList<RunResult> Runs)
    {
        public static List<Column> Of(IReadOnlyList<RunResult> results) =>
            [.. results.GroupBy(TitleOf).Select(group => new Column(group.Key, [.. group]))];

        public string Median(Func<RunResult, double> value, string format)
        {
            var values = Runs.Select(value).Order().ToArray();
            var median = (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
            return values.Length == 1 ? Text(median) : $"{Text(median)} ({Text(values[0])}–{Text(values[^1])})";

            string Text(double number) => number.ToString(format, CultureInfo.InvariantCulture);
        }

        public string Counts(Func<RunResult, IReadOnlyDictionary<string, int>> counts)
        {
            var sums = Runs.SelectMany(counts).GroupBy(count => count.Key, count => count.Value).ToList();
            return sums.Count == 0 ? "none" : string.Join(", ", sums.Select(sum => $"{sum.Sum().ToString("N0", CultureInfo.InvariantCulture)} {sum.Key}"));
        }

        private static string TitleOf(RunResult run) =>
            (run.Rate is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{rate}/s") : $"{run.Clients} client{(run.Clients == 1 ? "" : "s")}")
            + (run.ThroughGateway ? " (gateway)" : "");
    }
}
