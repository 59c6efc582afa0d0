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

    // Beside first, then renamed: two AppHosts may install at once, and a half install must not pass for a whole one.
    private const string Install = """
        mkdir -p "$1.$$" && cd "$1.$$" && npm install --no-save --no-package-lock --no-audit --no-fund "$2" && { [ -d "$1" ] || mv "$1.$$" "$1"; }
        rm -rf "$1.$$"
        """;

    private ManagedProcess? _process;
    private string? _otlpEndpoint = configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.DisableDashboard)
        {
            return;
        }

        _otlpEndpoint = null;
        var rid = $"linux-{RuntimeInformation.OSArchitecture}".ToLowerInvariant();
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var folder = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "aspire-shim", $"cli-{Version}");
        var cli = Path.Combine(folder, "node_modules", "@microsoft", $"aspire-cli-{rid}", "bin", "aspire");
        if (!File.Exists(cli))
        {
            Console.WriteLine($"Installing the Aspire dashboard (npm @microsoft/aspire-cli-{rid} {Version}, 150 MB, once) ...");
            var start = new ProcessStartInfo("sh", ["-c", Install, "sh", folder, $"@microsoft/aspire-cli-{rid}@{Version}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var install = Process.Start(start)!;
            await Task.WhenAll(
                install.StandardOutput.ReadToEndAsync(cancellationToken), install.StandardError.ReadToEndAsync(cancellationToken), install.WaitForExitAsync(cancellationToken));
        }

        if (!File.Exists(cli))
        {
            Console.WriteLine("No Aspire dashboard: it comes from npm (install Node.js with npm). The system runs without it.");
            return;
        }

        // The same keys under which the real AppHost knows its dashboard.
        var url = configuration["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Orchestrator.FreePort()}";
        var token = configuration["AppHost:BrowserToken"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _otlpEndpoint = $"http://127.0.0.1:{Orchestrator.FreePort()}";
        string[] arguments =
        [
            "dashboard", "run", "--non-interactive", "--nologo", "--frontend-url", url, "--otlp-grpc-url", _otlpEndpoint,
            "--otlp-http-url", $"http://127.0.0.1:{Orchestrator.FreePort()}", "--", $"--Dashboard:Frontend:BrowserToken={token}",
        ];
        _process = ManagedProcess.Start(
            cli, arguments, Path.GetTempPath(), new Dictionary<string, string> { ["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true" }, watchdog, static _ => { });
    }

    public Task StopAsync() => _process?.StopAsync() ?? Task.CompletedTask;

    public void AddTelemetryEnvironment(string resource, IHostEnvironment environment, Dictionary<string, object> variables)
    {
        if (string.IsNullOrEmpty(_otlpEndpoint))
        {
            return;
        }

        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = _otlpEndpoint;
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        variables["OTEL_SERVICE_NAME"] = resource;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        if (environment.IsDevelopment())
        {
            variables["OTEL_BLRP_SCHEDULE_DELAY"] = variables["OTEL_BSP_SCHEDULE_DELAY"] = variables["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
            variables["OTEL_TRACES_SAMPLER"] = "always_on";
            variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
        }
    }
}
