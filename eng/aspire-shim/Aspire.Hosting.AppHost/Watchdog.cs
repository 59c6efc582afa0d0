using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Aspire.Hosting;

/// <summary>
/// One small shell that reads a pipe held by this process. However this process ends (kill -9 included), the pipe
/// closes and the shell ends every process group that is still on its list.
/// </summary>
internal sealed class Watchdog : IDisposable
{
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
    private readonly Process _shell;

    public Watchdog()
    {
        var start = new ProcessStartInfo("setsid") { RedirectStandardInput = true, WorkingDirectory = "/" };
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        _shell = Process.Start(start) ?? throw new DistributedApplicationException("'setsid' (util-linux) does not start.");
    }

    public void Watch(int group) => Tell('+', group);

    public void Forget(int group) => Tell('-', group);

    public static void Signal(string name, int group)
        => _ = Kill(-group, name switch { "INT" => 2, "KILL" => 9, "TERM" => 15, _ => throw new ArgumentOutOfRangeException(nameof(name)) });

    public void Dispose()
    {
        lock (_lock)
        {
            _shell.StandardInput.Close();
            _shell.Dispose();
        }
    }

    private void Tell(char operation, int group)
    {
        lock (_lock)
        {
            try
            {
                _shell.StandardInput.WriteLine($"{operation} {group}");
                _shell.StandardInput.Flush();
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException)
            {
                // After the stop there is nothing left to watch.
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
