using System.Diagnostics;
using System.Globalization;

namespace OrderInventory.Campaign.Servers;

/// <summary>A server process of the campaign's own. It is started again whenever it ends, as a supervisor would, until it is stopped.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<ProcessStartInfo> _start;
    private readonly string _log;
    private readonly Task _keeping;
    private Process? _process;

    /// <param name="name">For people.</param>
    /// <param name="folder">Where its output and its process id are kept.</param>
    /// <param name="start">What is run.</param>
    public Server(string name, string folder, Func<ProcessStartInfo> start)
    {
        (Name, _start, _log) = (name, start, Path.Combine(folder, $"{name}.log"));
        PidFile = Path.Combine(folder, $"{name}.pid");
        _keeping = KeepAsync();
    }

    public string Name { get; }

    public string PidFile { get; }

    /// <summary>0 while it is down.</summary>
    public int ProcessId => _process is { HasExited: false } running ? running.Id : 0;

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

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
    }

    private async Task KeepAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var start = _start();
            start.RedirectStandardOutput = start.RedirectStandardError = true;
            _process = Process.Start(start)!;
            Starts++;
            await File.WriteAllTextAsync(PidFile, _process.Id.ToString(CultureInfo.InvariantCulture));
            await using (var log = new StreamWriter(_log, append: true))
            {
                await Task.WhenAll(CopyAsync(_process.StandardOutput, log), CopyAsync(_process.StandardError, log));
            }

            await _process.WaitForExitAsync();
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
    /// <summary>Sends a signal to a process of the campaign's. One that is gone already is none of its business.</summary>
    public static void Send(int process, string name)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", ["-s", name, process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!;
        kill.WaitForExit();
    }
}
