using System.ComponentModel;
using System.Diagnostics;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Short-lived helper processes: initdb, npm, the Kafka storage tool.</summary>
internal static class Command
{
    /// <summary>The first file of this name in PATH.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    public static async Task<(int ExitCode, string Output)> TryAsync(
        string file, IEnumerable<string> arguments, string? workingDirectory = null, CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory ?? "/",
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            return (process.ExitCode, await output + await errors);
        }
        catch (Win32Exception missing)
        {
            return (127, missing.Message);
        }
    }

    /// <summary>As <see cref="TryAsync"/>; a failure becomes an exception with the last lines of the command's output.</summary>
    public static async Task<string> RunAsync(
        string what, string file, IEnumerable<string> arguments, string? workingDirectory = null, CancellationToken cancellationToken = default)
    {
        var (exitCode, output) = await TryAsync(file, arguments, workingDirectory, cancellationToken);
        return exitCode == 0
            ? output
            : throw new DistributedApplicationException(
                $"{what} failed: {string.Join(' ', output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(4))}");
    }
}
