using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The AppHost as its own process, as run.sh starts it: no dashboard, mail into a pickup folder, its own gateway port.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);
    private const string Mark = "ORDER_INVENTORY_TEST";
    private readonly string _mark = Guid.CreateVersion7().ToString("N");
    private readonly Process _process;
    private readonly string _folder;
    private readonly string _temp;
    private string? _dataFolder;
    private readonly Task _output;
    private readonly ConcurrentQueue<string> _lines = [];

    private AppHostProcess(int gatewayPort, string[] arguments, (string Name, string Value)[] environment, AppHostProcess? beside = null)
    {
        _folder = Directory.CreateTempSubdirectory("apphost-test-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            // PostgreSQL, which never runs as root, must be able to enter the folder.
            File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        _temp = beside?._temp ?? Directory.CreateDirectory(Path.Combine(_folder, "temp")).FullName;
        Gateway = new($"http://127.0.0.1:{gatewayPort.ToString(CultureInfo.InvariantCulture)}");
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Assembly,
                "--Dashboard=false", "--Infrastructure:Mode=embedded", "--Infrastructure:Mail=pickup", $"--RunDirectory={_folder}", .. arguments,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GATEWAY_PORT"] = gatewayPort.ToString(CultureInfo.InvariantCulture);
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment[Mark] = _mark;
        start.Environment["TMPDIR"] = _temp;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _output = Task.WhenAll(CollectAsync(_process.StandardOutput), CollectAsync(_process.StandardError));
    }

    /// <summary>The built AppHost.</summary>
    public static string Assembly { get; } = Path.Combine(Projects.OrderInventory_AppHost.ProjectPath, Repository.Output, "OrderInventory.AppHost.dll");

    public Uri Gateway { get; }

    public string EndpointsFile => Path.Combine(_folder, "endpoints.json");

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>The folder with its servers' files, found by the AppHost's process id.</summary>
    public string DataFolder => _dataFolder ??= Directory.EnumerateDirectories(_temp, $"order-inventory-{_process.Id.ToString(CultureInfo.InvariantCulture)}-*").Single();

    public string Output => string.Join('\n', _lines.TakeLast(100));

    /// <summary>A client of the gateway with the administrator's token from endpoints.json.</summary>
    public HttpClient CreateClient() => new()
    {
        BaseAddress = Gateway,
        DefaultRequestHeaders = { Authorization = new("Bearer", (string?)JsonNode.Parse(File.ReadAllText(EndpointsFile))!["token"]) },
    };

    /// <summary>
    /// Starts the AppHost and returns immediately. It has its own folder for temporary files, or shares that of <paramref name="beside"/>: a
    /// start deletes there what a killed AppHost has left.
    /// </summary>
    public static AppHostProcess Begin(AppHostProcess? beside = null, params string[] arguments) => new(Ports.Free(), arguments, [], beside);

    /// <summary>As <see cref="Begin"/>, but returns when the system is healthy and endpoints.json exists.</summary>
    public static async Task<AppHostProcess> StartAsync(AppHostProcess? beside = null, params string[] arguments)
    {
        var system = Begin(beside, arguments);
        try
        {
            await Eventually.TrueAsync(() => system.HasExited || File.Exists(system.EndpointsFile), Timeout, "endpoints.json");
            _ = system.HasExited ? null : system.DataFolder;
            return system.HasExited ? throw new InvalidOperationException("The AppHost has exited") : system;
        }
        catch (Exception problem)
        {
            await system.DisposeAsync();
            throw new InvalidOperationException($"{problem.Message}; the output of the AppHost:\n{system.Output}", problem);
        }
    }

    public static async Task<(int ExitCode, string Output)> RunToEndAsync(int gatewayPort, params (string Name, string Value)[] environment)
    {
        await using var system = new AppHostProcess(gatewayPort, [], environment);
        await system._process.WaitForExitAsync().WaitAsync(Timeout);
        await system._output.WaitAsync(Timeout);
        return (system.ExitCode, string.Join('\n', system._lines));
    }

    public Task SignalAsync(string name) => Signal.SendAsync(name, _process.Id);

    /// <summary>
    /// Every running process that this AppHost started, with its start time, because an id may be reused. The orchestrator detaches
    /// itself, so the processes are recognised by an environment variable that all of them inherit.
    /// </summary>
    public List<(int Id, string Started)> Processes() =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0 && id != _process.Id && Read($"/proc/{id}/environ").Split('\0').Contains($"{Mark}={_mark}"))
            .Select(id => (id, Stat(id)?[19]!)).Where(process => process.Item2 is not null),
    ];

    public int ProcessOf(string program) => Processes().Single(process => Read($"/proc/{process.Id}/cmdline").TrimEnd('\0').EndsWith(program, StringComparison.Ordinal)).Id;

    public static bool IsGone((int Id, string Started) process) => Stat(process.Id) is not { } stat || stat[19] != process.Started || stat[0] == "Z";

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await SignalAsync("TERM");
            await _process.WaitForExitAsync().WaitAsync(Timeout);
        }

        _process.Dispose();
        await Eventually.TrueAsync(() => DeleteFolder(_folder), Timeout, "the folder's release");
    }

    /// <returns>True; throws while a process that is ending still writes into the folder.</returns>
    public static bool DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return true;
    }

    private async Task CollectAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
        }
    }

    /// <summary>The fields of /proc/PID/stat after the command's name: state, parent, …, start time at index 19.</summary>
    private static string[]? Stat(int id) => Read($"/proc/{id}/stat") is { Length: > 0 } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
