using System.Globalization;
using System.Text.RegularExpressions;

namespace OrderInventory.Load.Recorded;

/// <summary>
/// Processor time of the running system by program, from /proc: of the AppHost and all processes under it. By order it tells where to look
/// first, and unlike rates it stays usable on a machine that others use too.
/// </summary>
internal static partial class ProcessorTime
{
    // USER_HZ: 100 on every Linux that .NET runs on.
    private const double TicksPerMillisecond = 0.1;

    /// <summary>Milliseconds since each program's start. Empty without a process id, or where there is no /proc.</summary>
    public static Dictionary<string, double> Read(int? appHost)
    {
        var times = new Dictionary<string, double>();
        if (appHost is { } root && Directory.Exists("/proc"))
        {
            Add(root, times);
        }

        return times;
    }

    /// <summary>What was used between two readings, for each of so many orders; the largest first.</summary>
    public static Dictionary<string, double> PerOrder(Dictionary<string, double> before, Dictionary<string, double> after, int orders) => after
        .Select(time => (time.Key, Value: (time.Value - before.GetValueOrDefault(time.Key)) / Math.Max(1, orders)))
        .OrderByDescending(time => time.Value)
        .ToDictionary(time => time.Key, time => time.Value);

    private static void Add(int process, Dictionary<string, double> times)
    {
        try
        {
            var name = Name(File.ReadAllText($"/proc/{process}/cmdline").Replace('\0', ' '));

            // proc(5): after the name in parentheses, utime, stime and those of children that have ended (a closed connection's) are fields 12 to 15.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
            times[name] = times.GetValueOrDefault(name) + (ticks / TicksPerMillisecond);
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
            {
                foreach (var child in File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    Add(int.Parse(child, CultureInfo.InvariantCulture), times);
                }
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile.
        }
    }

    private static string Name(string commandLine) => commandLine switch
    {
        _ when Service().Match(commandLine) is { Success: true } match => match.Groups[1].Value,
        _ when commandLine.Contains("arnet", StringComparison.Ordinal) => "Garnet",
        _ when commandLine.Contains("postgres", StringComparison.Ordinal) => "PostgreSQL",
        _ when commandLine.Contains("java", StringComparison.Ordinal) => "Kafka",
        _ when commandLine.Contains("maildev", StringComparison.Ordinal) => "maildev",
        _ => "other",
    };

    [GeneratedRegex(@"OrderInventory\.(AppHost|Orders|Inventory|Products|Customers|Notifications|Gateway)\b(?!/)")]
    private static partial Regex Service();
}
