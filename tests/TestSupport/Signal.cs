using System.Diagnostics;
using System.Globalization;

namespace OrderInventory.TestSupport;

/// <summary>POSIX signals; .NET has a call for SIGKILL only.</summary>
public static class Signal
{
    /// <param name="name">As for <c>kill -s</c>: TERM, KILL.</param>
    /// <param name="process">The process id.</param>
    public static async Task SendAsync(string name, int process)
    {
        using var kill = Process.Start("kill", ["-s", name, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
