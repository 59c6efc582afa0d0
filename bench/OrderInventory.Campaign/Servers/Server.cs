using System.Diagnostics;
using System.Globalization;

namespace OrderInventory.Campaign.Servers;

/// <summary>A server process of the campaign. It is restarted whenever it ends, as by a supervisor, until it is stopped.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _running = new(1);
    private readonly Func<ProcessStartInfo> _start;
    private readonly string _log;
    private readonly Task _keeping;
    private Process? _process;

    /// <param name="name">The name in output.</param>
    /// <param name="folder">The folder for its output and its process id.</param>
    /// <param name="start">The command to run.</param>
    public Server(string name, string folder, Func<ProcessStartInfo> start)
    {
        (Name, _start, _log) = (name, start, Path.Combine(folder, $"{name}.log"));
        PidFile = Path.Combine(folder, $"{name}.pid");
        _keeping = KeepAsync();
    }

    public string Name { get; }

    public string PidFile { get; }

    /// <summary>The process id; 0 while it is down.</summary>
    public int ProcessId => _process is { HasExited: false } running ? running.Id : 0;

    /// <summary>How many times it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Kills it with all its children, does the work, and starts it again.</summary>
    /// <param name="work">Begins when none of its processes is left.</param>
    public async Task WhileDownAsync(Func<Task> work)
    {
        if (ProcessId is > 0 and var process)
        {
            Signals.Descendants(process).ForEach(id => Signals.Send(id, "KILL"));
        }

        await _running.WaitAsync();
        try
        {
            await work();
        }
        finally
        {
            _running.Release();
        }
    }

    /// <summary>Ends it with SIGTERM, and with SIGKILL when that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_process is { HasExited: false } running)
        {
            Signals.Send(running.Id, "CONT");
            Signals.Send(running.Id, "TERM");
            try
            {
                await running.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (TimeoutException)
            {
                Signals.Send(running.Id, "KILL");
            }
        }

        await _keeping;
        File.Delete(PidFile);
        _stop.Dispose();
        _running.Dispose();
    }

    private async Task KeepAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _running.WaitAsync();
            var start = _start();
            start.RedirectStandardOutput = start.RedirectStandardError = true;
            _process = Process.Start(start)!;
            Starts++;
            await File.WriteAllTextAsync(PidFile, _process.Id.ToString(CultureInfo.InvariantCulture));
            await using (var log = new StreamWriter(_log, append: true))
            {
                await Task.WhenAll(CopyAsync(_process.StandardOutput, log), CopyAsync(_process.StandardError, log));
            }

            // Its output has ended, so none of its children runs any more.
            await _process.WaitForExitAsync();
            _running.Release();
            await Task.Delay(s_pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task CopyAsync(StreamReader reader, StreamWriter log)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (log)
            {
                log.WriteLine(line);
                log.Flush();
            }
        }
    }
}

internal static class Signals
{
    /// <summary>Sends a signal to a process of the campaign; a process that has already ended is ignored.</summary>
    public static void Send(int process, string name)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", ["-s", name, process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!;
        kill.WaitForExit();
    }

    /// <summary>A process and all processes that it has started, directly or indirectly.</summary>
    public static List<int> Descendants(int process)
    {
        var parents = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0)
            .Select(id => (Id: id, Parent: ParentOf(id))).ToLookup(entry => entry.Parent, entry => entry.Id);
        var found = new List<int> { process };
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(parents[found[i]]);
        }

        return found;
    }

    private static int ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
