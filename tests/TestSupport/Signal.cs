using System.Diagnostics;
using System.Globalization;

namespace OrderInventory.TestSupport;

/// <summary>Signals of POSIX, which .NET has no call for but SIGKILL's.</summary>
public static class Signal
{
    /// <param name="name">As <c>kill -s</c> takes it: TERM, KILL.</param>
    /// <param name="process">Its id.</param>
    public static async Task SendAsync(string name, int process)
    {
        using var kill = Process.Start("kill", ["-s", name, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
