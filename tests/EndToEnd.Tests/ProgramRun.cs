using System.Diagnostics;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Runs a program to its end.</summary>
internal static class ProgramRun
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(2);

    /// <param name="program">Which.</param>
    /// <param name="arguments">Its.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="environment">Variables beside the test's own.</param>
    /// <returns>Its exit code, and what it printed: to the error output, then to the other one.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, string[] arguments, string input = "", params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(s_timeout);
        return (process.ExitCode, string.Concat(await output));
    }
}
