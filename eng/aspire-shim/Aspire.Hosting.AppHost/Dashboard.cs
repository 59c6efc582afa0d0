using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>The real Aspire dashboard in its standalone mode (traces, metrics, structured logs; no resource page), from the npm package of the Aspire CLI.</summary>
internal sealed class Dashboard(DistributedApplicationOptions options, IConfiguration configuration, Watchdog watchdog)
{
    private const string Version = "13.5.4";
    private ManagedProcess? _process;
    private string? _otlpEndpoint;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.DisableDashboard)
        {
            return;
        }

        if (await FindOrInstallAsync(cancellationToken) is not { } cli)
        {
            Console.WriteLine("No Aspire dashboard: it comes from npm (install Node.js with npm). The system runs without it.");
            return;
        }

        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var url = $"http://127.0.0.1:{Orchestrator.FreePort()}";
        _otlpEndpoint = $"http://127.0.0.1:{Orchestrator.FreePort()}";
        string[] arguments =
        [
            "dashboard", "run", "--non-interactive", "--nologo", "--frontend-url", url, "--otlp-grpc-url", _otlpEndpoint,
            "--otlp-http-url", $"http://127.0.0.1:{Orchestrator.FreePort()}", "--", $"--Dashboard:Frontend:BrowserToken={token}",
        ];
        var noEnvironment = new Dictionary<string, string> { ["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true" };
        _process = ManagedProcess.Start(cli, arguments, Path.GetTempPath(), noEnvironment, watchdog, static _ => { });

        // The same keys under which the real AppHost knows its dashboard.
        configuration["ASPNETCORE_URLS"] = url;
        configuration["AppHost:BrowserToken"] = token;
    }

    public Task StopAsync() => _process?.StopAsync() ?? Task.CompletedTask;

    public IEnumerable<KeyValuePair<string, string>> TelemetryEnvironment(string resource, IConfiguration settings, IHostEnvironment environment)
    {
        var endpoint = _otlpEndpoint ?? settings["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"];
        if (string.IsNullOrEmpty(endpoint))
        {
            yield break;
        }

        yield return new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        yield return new("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        yield return new("OTEL_SERVICE_NAME", resource);
        yield return new("OTEL_RESOURCE_ATTRIBUTES", $"service.instance.id={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        if (environment.IsDevelopment())
        {
            yield return new("OTEL_BLRP_SCHEDULE_DELAY", "1000");
            yield return new("OTEL_BSP_SCHEDULE_DELAY", "1000");
            yield return new("OTEL_METRIC_EXPORT_INTERVAL", "1000");
            yield return new("OTEL_TRACES_SAMPLER", "always_on");
            yield return new("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based");
        }
    }

    private static async Task<string?> FindOrInstallAsync(CancellationToken cancellationToken)
    {
        var rid = $"linux-{RuntimeInformation.OSArchitecture}".ToLowerInvariant();
        var package = $"@microsoft/aspire-cli-{rid}";
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folder = Path.Combine(cache, "aspire-shim", $"aspire-cli-{rid}-{Version}");
        var cli = Path.Combine(folder, "node_modules", package, "bin", "aspire");
        if (File.Exists(cli))
        {
            return cli;
        }

        Console.WriteLine($"Installing the Aspire dashboard (npm {package} {Version}, 150 MB, once) ...");
        // Into a folder of this process first: two AppHosts may install at the same time, and a half install must not be taken for a whole one.
        var staging = $"{folder}.{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(staging);
            var start = new ProcessStartInfo("npm") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in new[] { "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", staging, $"{package}@{Version}" })
            {
                start.ArgumentList.Add(argument);
            }

            using var npm = Process.Start(start)!;
            _ = npm.StandardOutput.ReadToEndAsync(cancellationToken);
            _ = npm.StandardError.ReadToEndAsync(cancellationToken);
            await npm.WaitForExitAsync(cancellationToken);
            if (npm.ExitCode == 0 && !Directory.Exists(folder))
            {
                Directory.Move(staging, folder);
            }
        }
        catch (Exception problem) when (problem is System.ComponentModel.Win32Exception or IOException or UnauthorizedAccessException)
        {
            return File.Exists(cli) ? cli : null;
        }
        finally
        {
            if (Directory.Exists(staging))
            {
                Directory.Delete(staging, recursive: true);
            }
        }

        return File.Exists(cli) ? cli : null;
    }
}
