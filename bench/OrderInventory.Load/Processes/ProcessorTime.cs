using System.Globalization;

namespace OrderInventory.Load.Processes;

/// <summary>
/// Processor time by program: of the running system, and of this driver, which uses the same processors. Per order it shows where to optimise
/// first, and unlike rates it stays meaningful on a shared machine.
/// </summary>
internal static class ProcessorTime
{
    private const string Driver = "driver";

    /// <summary>Milliseconds since each program's start. Empty without a process id, or where there is no /proc.</summary>
    public static Dictionary<string, double> Read(int? appHost)
    {
        var times = appHost is { } root
            ? ProcessTable.Of(root).GroupBy(process => process.Program).ToDictionary(group => group.Key, group => group.Sum(process => process.Milliseconds))
            : [];
        if (times.Count > 0)
        {
            times[Driver] = Environment.CpuUsage.TotalTime.TotalMilliseconds;
        }

        return times;
    }

    /// <summary>
    /// The time used between two readings, divided by a number; the largest first. A process that has ended meanwhile may be missing from the
    /// second reading, which must not make a program's time negative.
    /// </summary>
    public static Dictionary<string, double> Between(Dictionary<string, double> before, Dictionary<string, double> after, double divisor) => after
        .Select(time => (time.Key, Value: Math.Max(0, time.Value - before.GetValueOrDefault(time.Key)) / divisor))
        .OrderByDescending(time => time.Value)
        .ToDictionary(time => time.Key, time => time.Value);

    /// <summary>The sum without the driver's own.</summary>
    public static double OfSystem(IReadOnlyDictionary<string, double> times) => times.Where(time => time.Key != Driver).Sum(time => time.Value);

    public static double OfDriver(IReadOnlyDictionary<string, double> times) => times.GetValueOrDefault(Driver);

    /// <summary>The total and its parts, in milliseconds, as the mean over all orders of these runs.</summary>
    public static string Describe(IReadOnlyList<RunResult> runs)
    {
        var orders = Math.Max(1, runs.Sum(run => run.Placed));
        var means = runs.SelectMany(run => run.ProcessorTimePerOrder.Select(time => (time.Key, Value: time.Value * run.Placed / orders)))
            .GroupBy(time => time.Key).ToDictionary(group => group.Key, group => group.Sum(time => time.Value));
        var parts = means.Where(time => time.Key != Driver && time.Value >= 0.005).OrderByDescending(time => time.Value)
            .Select(time => string.Create(CultureInfo.InvariantCulture, $"{time.Key} {time.Value:F2}"));
        return string.Create(CultureInfo.InvariantCulture, $"{OfSystem(means):F2} ms, of which {string.Join(", ", parts)}; the driver, not included, {OfDriver(means):F2}.");
    }

    /// <summary>Observes an idle system, and prints by program how much of one core it uses (Markdown).</summary>
    public static async Task PrintIdleAsync(int appHost, TimeSpan duration, CancellationToken cancellationToken)
    {
        var before = Read(appHost);
        await Task.Delay(duration, cancellationToken);
        var used = Between(before, Read(appHost), duration.TotalMilliseconds / 100);
        used.Remove(Driver);
        Console.WriteLine("| program | processor time, % of one core |\n|---|---:|");
        foreach (var (program, percent) in used)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {program} | {percent:F2} |"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| **sum** | {used.Values.Sum():F2} |"));
    }
}
