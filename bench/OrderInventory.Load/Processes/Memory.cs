using System.Globalization;

namespace OrderInventory.Load.Processes;

/// <summary>
/// Memory of a running system by program. PSS divides a shared page among the processes that share it; RSS counts it in each of them, which
/// far overstates PostgreSQL's shared buffers. Where PSS may not be read it is omitted.
/// </summary>
internal static class Memory
{
    private static readonly string[] s_services = ProcessTable.Services.Split('|');

    /// <summary>Prints a table in Markdown.</summary>
    public static void Print(int appHost)
    {
        var rows = ProcessTable.Of(appHost)
            .GroupBy(process => s_services.Contains(process.Program) ? $"service {process.Program}" : process.Program, process => ReadOf(process.Id))
            .Select(group => (Program: group.Key, Memory: Sum(group)))
            .OrderBy(row => row.Program, StringComparer.Ordinal).ToList();
        var services = Sum(rows.Where(row => row.Program.StartsWith("service ", StringComparison.Ordinal)).Select(row => row.Memory));
        Console.WriteLine("| process | RSS, MB | PSS, MB |\n|---|---:|---:|");
        rows.ForEach(row => Write(row.Program, row.Memory));
        Write("**all services**", services);
        Write("**all services and the AppHost**", Sum([services, .. rows.Where(row => row.Program == "AppHost").Select(row => row.Memory)]));
        Write("**everything**", Sum(rows.Select(row => row.Memory)));
    }

    /// <summary>RSS of a process in kilobytes; 0 when it has ended.</summary>
    public static long Resident(int process) => Kilobytes($"/proc/{process}/status", "VmRSS:") ?? 0;

    private static (long Rss, long? Pss) ReadOf(int process) => (Resident(process), Kilobytes($"/proc/{process}/smaps_rollup", "Pss:"));

    private static (long Rss, long? Pss) Sum(IEnumerable<(long Rss, long? Pss)> parts) => parts.Aggregate((0L, (long?)0), (sum, part) => (sum.Item1 + part.Rss, sum.Item2 + part.Pss));

    private static long? Kilobytes(string file, string name)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
                ? long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture)
                : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string program, (long Rss, long? Pss) memory) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {program} | {memory.Rss / 1024.0:F0} | {memory.Pss / 1024.0:F0} |"));
}
