using System.Diagnostics;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Runs a program to its end.</summary>
internal static class ProgramRun
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(2);

    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="environment">Variables in addition to the test's own.</param>
    /// <returns>The exit code, and the error output followed by the standard output.</returns>
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
