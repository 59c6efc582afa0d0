using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Start, stop and crash of the AppHost as a process of its own, as run.sh starts it.</summary>
public sealed class LifecycleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Stops_everything_on_SIGTERM_to_its_own_process()
    {
        await using var system = await AppHostProcess.StartAsync();
        var processes = system.Descendants();
        Assert.True(processes.Count > 8, $"only {processes.Count} processes were started");
        // It holds connection strings.
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(system.EndpointsFile).UnixFileMode);

        await system.SignalAsync("TERM");

        await Eventually.TrueAsync(() => system.HasExited, TimeSpan.FromSeconds(30), "the AppHost's end");
        await Eventually.TrueAsync(() => processes.All(AppHostProcess.IsGone), TimeSpan.FromSeconds(5), "the end of all its processes");
        Assert.Equal(0, system.ExitCode);
        Assert.False(File.Exists(system.EndpointsFile));
    }

    [Fact]
    public async Task Leaves_no_process_when_it_is_killed_and_another_copy_beside_it_goes_on()
    {
        await using var other = await AppHostProcess.StartAsync();
        await using var system = await AppHostProcess.StartAsync();
        var processes = system.Descendants();

        await system.SignalAsync("KILL");

        await Eventually.TrueAsync(() => processes.All(AppHostProcess.IsGone), TimeSpan.FromSeconds(30), "the end of all its processes");
        using var gateway = new HttpClient { BaseAddress = other.Gateway };
        var shop = new Shop(gateway);
        var (_, order) = await shop.PlaceAsync(await shop.CustomerAsync(), (await shop.ProductAsync(stock: 1), 1));
        Assert.Equal("confirmed", (string?)order["status"]);
    }

    [Fact]
    public async Task Says_that_the_gateways_port_is_taken_before_anything_starts()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (exitCode, output) = await AppHostProcess.RunToEndAsync(port);

        Assert.Equal(1, exitCode);
        Assert.Contains($"Port {port.ToString(CultureInfo.InvariantCulture)}, the gateway's, is taken", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starts_again_on_the_data_it_left()
    {
        var data = Path.Combine(Path.GetTempPath(), $"order-inventory-test-{Guid.CreateVersion7():N}");
        string[] args = [$"--Infrastructure:DataPath={data}", "--Infrastructure:Mail=pickup"];
        try
        {
            string id;
            await using (var first = await AppHostRunner.StartAsync(args))
            {
                await first.WaitUntilHealthyAsync("gateway");
                using var gateway = first.App.CreateHttpClient("gateway", "http");
                using var response = await gateway.PostAsJsonAsync(
                    "/api/products", new { sku = "KEPT-1", name = "Kept", category = "tests", price = new { amount = 1.00m, currency = "EUR" } });
                Assert.Equal(HttpStatusCode.Created, response.StatusCode);
                id = (await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!.GetValue<string>();
                // They hold customers' data and passwords, under a folder that everyone may enter; a copy of the binaries does not.
                var folders = new DirectoryInfo(data).GetDirectories().Where(folder => !folder.Name.Contains("binaries", StringComparison.Ordinal)).ToList();
                Assert.Contains(folders, folder => folder.Name == "mail");
                Assert.All(folders, folder => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, folder.UnixFileMode));
            }

            NpgsqlConnection.ClearAllPools();
            await using var second = await AppHostRunner.StartAsync(args);
            await second.WaitUntilHealthyAsync("gateway");
            using var again = second.App.CreateHttpClient("gateway", "http");
            var product = await again.GetFromJsonAsync<JsonNode>($"/api/products/{id}");
            Assert.Equal("KEPT-1", product!["sku"]!.GetValue<string>());
        }
        finally
        {
            await Eventually.TrueAsync(() => DeleteFolder(data), Patience, "the folder's release");
        }
    }

    private static bool DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return true;
    }

    private sealed class AppHostProcess : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly string _folder;
        private readonly Task _output;
        private readonly ConcurrentQueue<string> _lines = [];

        private AppHostProcess(int gatewayPort)
        {
            _folder = Directory.CreateTempSubdirectory("apphost-test-").FullName;
            Gateway = new($"http://127.0.0.1:{gatewayPort.ToString(CultureInfo.InvariantCulture)}");
            var configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')))!;
            var start = new ProcessStartInfo(
                "dotnet",
                [
                    Path.Combine(Projects.OrderInventory_AppHost.ProjectPath, "bin", configuration, "net10.0", "OrderInventory.AppHost.dll"),
                    "--Dashboard=false", "--Infrastructure:Mail=pickup", $"--RunDirectory={_folder}",
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["GATEWAY_PORT"] = gatewayPort.ToString(CultureInfo.InvariantCulture);
            start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
            start.Environment["DOTNET_ENVIRONMENT"] = "Development";
            _process = Process.Start(start)!;
            _output = Task.WhenAll(CollectAsync(_process.StandardOutput), CollectAsync(_process.StandardError));
        }

        public Uri Gateway { get; }

        public string EndpointsFile => Path.Combine(_folder, "endpoints.json");

        public bool HasExited => _process.HasExited;

        public int ExitCode => _process.ExitCode;

        private string Output => string.Join('\n', _lines.TakeLast(100));

        public static async Task<AppHostProcess> StartAsync()
        {
            var system = new AppHostProcess(FreePort());
            try
            {
                await Eventually.TrueAsync(() => system.HasExited || File.Exists(system.EndpointsFile), Patience, "endpoints.json");
                return system.HasExited ? throw new InvalidOperationException("The AppHost ended") : system;
            }
            catch (Exception problem)
            {
                await system.DisposeAsync();
                throw new InvalidOperationException($"{problem.Message}; the AppHost said:\n{system.Output}", problem);
            }
        }

        public static async Task<(int ExitCode, string Output)> RunToEndAsync(int gatewayPort)
        {
            await using var system = new AppHostProcess(gatewayPort);
            await system._process.WaitForExitAsync().WaitAsync(Patience);
            await system._output.WaitAsync(Patience);
            return (system.ExitCode, system.Output);
        }

        public async Task SignalAsync(string name)
        {
            using var kill = Process.Start("kill", ["-s", name, _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync();
        }

        /// <summary>Every process below the AppHost at this moment, with its start time: a process id alone may be given away again.</summary>
        public List<(int Id, string Started)> Descendants()
        {
            var parents = Directory.EnumerateDirectories("/proc")
                .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
                .Where(id => id > 0)
                .Select(id => (Id: id, Stat: Stat(id)))
                .Where(known => known.Stat is not null)
                .ToLookup(known => int.Parse(known.Stat![1], CultureInfo.InvariantCulture), known => (known.Id, Started: known.Stat![19]));
            var found = new List<(int Id, string Started)>();
            var open = new Queue<int>([_process.Id]);
            while (open.TryDequeue(out var parent))
            {
                foreach (var child in parents[parent])
                {
                    found.Add(child);
                    open.Enqueue(child.Id);
                }
            }

            return found;
        }

        public static bool IsGone((int Id, string Started) process) => Stat(process.Id) is not { } stat || stat[19] != process.Started || stat[0] == "Z";

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                await SignalAsync("TERM");
                await _process.WaitForExitAsync().WaitAsync(Patience);
            }

            _process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private async Task CollectAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                _lines.Enqueue(line);
            }
        }

        /// <summary>The fields of /proc/PID/stat after the command's name: state, parent, …, start time at index 19.</summary>
        private static string[]? Stat(int id)
        {
            try
            {
                var text = File.ReadAllText($"/proc/{id}/stat");
                return text[(text.LastIndexOf(')') + 2)..].Split(' ');
            }
            catch (IOException)
            {
                return null;
            }
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
