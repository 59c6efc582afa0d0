using System.Globalization;
using System.Text.RegularExpressions;

namespace OrderInventory.Load.Processes;

/// <summary>A process of the running system.</summary>
/// <param name="Id">The process id.</param>
/// <param name="Program">Its program, such as <c>Orders</c> or <c>PostgreSQL</c>.</param>
/// <param name="Milliseconds">Processor time since its start, including that of its ended children.</param>
internal readonly record struct SystemProcess(int Id, string Program, double Milliseconds);

/// <summary>
/// The processes of a running system, from /proc. Aspire's orchestrator (dcp) detaches itself, so its children are not descendants of the
/// AppHost; it is recognised by its command line, which names the process that it watches: <c>--monitor PID</c>.
/// </summary>
internal static partial class ProcessTable
{
    /// <summary>The services' names, separated by bars.</summary>
    public const string Services = "Orders|Inventory|Products|Customers|Notifications|Gateway|Console|Identity";

    // USER_HZ: 100 on every Linux that .NET runs on.
    private const double TicksPerMillisecond = 0.1;

    /// <summary>The AppHost, and all processes that it or its orchestrator has started; empty where there is no /proc.</summary>
    /// <exception cref="LoadException">There is no process with this id.</exception>
    public static List<SystemProcess> Of(int appHost)
    {
        if (!Directory.Exists("/proc/self"))
        {
            return [];
        }

        var all = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? Read(id) : null)
            .OfType<Entry>().ToList();
        var started = all.SelectMany(entry => entry.StartedBy.Select(by => (By: by, Entry: entry))).ToLookup(pair => pair.By, pair => pair.Entry);
        var found = new Dictionary<int, Entry>();
        var next = new Stack<Entry>(all.Where(entry => entry.Id == appHost));
        if (next.Count == 0)
        {
            throw new LoadException($"There is no process {appHost}: --apphost-pid must be the id of the running AppHost.");
        }

        while (next.TryPop(out var entry))
        {
            if (found.TryAdd(entry.Id, entry))
            {
                foreach (var child in started[entry.Id])
                {
                    next.Push(child);
                }
            }
        }

        return [.. found.Values.Select(entry => new SystemProcess(entry.Id, Name(entry.Arguments), entry.Milliseconds))];
    }

    private static Entry? Read(int id)
    {
        try
        {
            // proc(5): after the name in parentheses come state, parent, …; fields 11 to 14 are utime, stime and those of ended children (such as
            // the process of a closed connection).
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var parent = int.Parse(fields[1], CultureInfo.InvariantCulture);
            var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
            var arguments = File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
            var watched = Array.IndexOf(arguments, "--monitor") is var at and >= 0 && at + 1 < arguments.Length
                && int.TryParse(arguments[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            return new(id, [parent, watched], arguments, ticks / TicksPerMillisecond);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The process has ended meanwhile.
            return null;
        }
    }

    private static string Name(string[] arguments) => Path.GetFileName(arguments[0]) switch
    {
        "dcp" or "dcpctrl" or "dcpproc" => "dcp",
        _ => string.Join(' ', arguments) switch
        {
            var line when line.Contains("Aspire.Dashboard", StringComparison.Ordinal) => "dashboard",
            var line when OurProgram().Match(line) is { Success: true } match => match.Groups[1].Value,
            var line when line.Contains("arnet", StringComparison.Ordinal) => "Garnet",
            var line when line.Contains("postgres", StringComparison.Ordinal) => "PostgreSQL",
            var line when line.Contains("java", StringComparison.Ordinal) => "Kafka",
            var line when line.Contains("maildev", StringComparison.Ordinal) => "maildev",
            _ => "other",
        },
    };

    // Does not match a folder of that name.
    [GeneratedRegex($@"OrderInventory\.(AppHost|{Services})\b(?!/)")]
    private static partial Regex OurProgram();

    private sealed record Entry(int Id, int[] StartedBy, string[] Arguments, double Milliseconds);
}
