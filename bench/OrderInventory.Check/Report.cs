using System.Globalization;
using System.Text;
using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using Spectre.Console;

namespace OrderInventory.Check;

/// <summary>Prints the violations.</summary>
internal static class Report
{
    private const int MaxPrinted = 10;
    private const int MaxLines = 4;

    public static void Print(string historyFile, SystemFacts facts, IReadOnlyList<Violation> violations)
    {
        foreach (var rule in violations.GroupBy(violation => violation.Rule))
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{rule.Key}: {rule.Count()} violations[/]");
            foreach (var violation in rule.Take(MaxPrinted))
            {
                AnsiConsole.WriteLine($"  {violation.Text}");
                foreach (var line in violation.Lines.Take(MaxLines))
                {
                    AnsiConsole.WriteLine($"    {historyFile}:{line.Number}: {Describe(line)}");
                }
            }
        }

        AnsiConsole.WriteLine(Summary(facts, violations));
    }

    public static string Summary(SystemFacts facts, IReadOnlyList<Violation> violations) => string.Create(CultureInfo.InvariantCulture,
        $"{Checker.Rules.Count} rules over {facts.Orders.Count} orders, {facts.Events.Count} records, {facts.Movements.Count} movements, {facts.Notifications.Count} notifications: {violations.Count} violations.");

    private static string Describe(HistoryLine line) => line is not Operation o ? line.ToString() : new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"client {o.Client} {o.Op} {o.Start:F0}–{o.End:F0} ms, {o.Status?.ToString(CultureInfo.InvariantCulture) ?? "no answer"} {o.Error}")
        .Append(o.Key is null ? "" : $", key {o.Key}").Append(o.Order is null ? "" : $", order {o.Order}").Append(o.Product is null ? "" : $", product {o.Product}")
        .Append(CultureInfo.InvariantCulture, $", version {o.Version} {o.State}").ToString();
}
