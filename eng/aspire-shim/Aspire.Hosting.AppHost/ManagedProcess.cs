using System.Diagnostics;

namespace Aspire.Hosting;

/// <summary>A child in a session of its own, so that it ends with all its descendants and a Ctrl-C in the terminal does not reach it.</summary>
internal sealed class ManagedProcess
{
    private readonly Process _process;
    private readonly Watchdog _watchdog;
    private readonly Task _output;

    private ManagedProcess(Process process, Watchdog watchdog, Action<string> output)
    {
        _process = process;
        _watchdog = watchdog;
        _output = Task.WhenAll(PumpAsync(process.StandardOutput, output), PumpAsync(process.StandardError, output));
        Exited = WaitAsync();
    }

    public int Id => _process.Id;

    public Task<int> Exited { get; }

    public static ManagedProcess Start(
        string command, IEnumerable<string> arguments, string workingDirectory, IReadOnlyDictionary<string, string> environment, Watchdog watchdog, Action<string> output)
    {
        var start = new ProcessStartInfo("setsid", [command, .. arguments])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What configures the AppHost itself is not for its children (the real orchestrator leaves the same ones out).
        foreach (var own in new[] { "ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE" })
        {
            start.Environment.Remove(own);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new DistributedApplicationException($"'{command}' does not start.");
        watchdog.Watch(process.Id);
        process.StandardInput.Close();
        return new ManagedProcess(process, watchdog, output);
    }

    /// <summary>SIGTERM, then SIGINT (PostgreSQL's "fast" shutdown: on SIGTERM it waits for its clients), then SIGKILL.</summary>
    public async Task StopAsync()
    {
        foreach (var (signal, patience) in new[] { (Watchdog.Terminate, 3), (Watchdog.Interrupt, 6), (Watchdog.Kill, 3) })
        {
            if (!Exited.IsCompleted)
            {
                Watchdog.Signal(signal, _process.Id);
                await Task.WhenAny(Exited, Task.Delay(TimeSpan.FromSeconds(patience)));
            }
        }

        // The leader is gone; what it left in its group goes too.
        Watchdog.Signal(Watchdog.Kill, _process.Id);
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        // Bounded: a descendant may hold the pipes open.
        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromSeconds(1)));
        _watchdog.Forget(_process.Id);
        return _process.ExitCode;
    }

    private static async Task PumpAsync(StreamReader reader, Action<string> output)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            output(line);
        }
    }
}
