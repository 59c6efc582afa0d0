using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Aspire.Hosting;

/// <summary>
/// One small shell that reads a pipe held by this process. However this process ends (kill -9 included), the pipe
/// closes and the shell ends every process group that is still on its list.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15;

    private const string Script = """
        groups=
        while read -r operation group; do
          kept=
          for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
          groups=$kept
          [ "$operation" = - ] || groups="$groups $group"
        done
        for signal in TERM INT KILL; do
          [ -n "$groups" ] || exit 0
          for g in $groups; do kill -s $signal -- "-$g" 2>/dev/null; done
          sleep 2
        done
        """;

    private readonly Lock _lock = new();
    private readonly Process _shell = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Script]) { RedirectStandardInput = true, WorkingDirectory = "/" })!;

    public void Watch(int group) => Tell($"+ {group}");

    public void Forget(int group) => Tell($"- {group}");

    public static void Signal(int signal, int group) => _ = SendSignal(-group, signal);

    public void Dispose()
    {
        lock (_lock)
        {
            _shell.StandardInput.Close();
        }
    }

    private void Tell(string line)
    {
        lock (_lock)
        {
            if (_shell.StandardInput.BaseStream.CanWrite)
            {
                _shell.StandardInput.WriteLine(line);
                _shell.StandardInput.Flush();
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);
}
