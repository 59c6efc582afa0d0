using System.Diagnostics;
using System.Globalization;
using OrderInventory.Load;

namespace OrderInventory.Campaign.Servers;

/// <summary>
/// One replica of every service: an AppHost on the campaign's servers (Infrastructure:Mode=external), started in the usual way. Its supervisor
/// restarts services that crash.
/// </summary>
internal sealed class Replica : IAsyncDisposable
{
    public static readonly string[] Services = ["orders", "inventory", "products", "customers", "notifications", "identity", "gateway"];

    private static readonly HashSet<string> s_programs = [.. Services.Select(ProgramOf)];

    /// <summary>Services that other services and the gateway call.</summary>
    private static readonly string[] s_calledServices = ["orders", "inventory", "products", "customers", "notifications"];

    /// <summary>The largest number of replicas at a time: each has an issuer with its own database.</summary>
    public const int Most = 3;

    private const string Mark = "ORDER_INVENTORY_CAMPAIGN";
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(4);
    private readonly string _folder;
    private readonly string _appHost;
    private readonly Infrastructure _infrastructure;
    private readonly IReadOnlyList<string> _arguments;
    private readonly string _mark;
    private readonly Dictionary<string, int> _ports = s_calledServices.ToDictionary(service => service, _ => Ports.Free());
    private Process? _process;

    /// <param name="number">The replica's number, from 1.</param>
    /// <param name="folder">The campaign's folder.</param>
    /// <param name="appHost">The built AppHost.</param>
    /// <param name="infrastructure">The servers.</param>
    /// <param name="arguments">More settings.</param>
    public Replica(int number, string folder, string appHost, Infrastructure infrastructure, IReadOnlyList<string> arguments)
    {
        (Number, _appHost, _infrastructure, _arguments) = (number, appHost, infrastructure, arguments);
        _folder = Directory.CreateDirectory(Path.Combine(folder, $"replica-{number.ToString(CultureInfo.InvariantCulture)}")).FullName;
        _mark = $"{Path.GetFileName(folder)}-{number.ToString(CultureInfo.InvariantCulture)}";
        // The same at each start, because clients use it.
        GatewayPort = Ports.Free();
        Proxies = s_calledServices.ToDictionary(service => service, service => new Proxy($"{service}-{number.ToString(CultureInfo.InvariantCulture)} by HTTP", _ports[service]));
    }

    /// <summary>The proxies between the services, by the service that is called.</summary>
    public IReadOnlyDictionary<string, Proxy> Proxies { get; }

    public int Number { get; }

    public int GatewayPort { get; }

    /// <summary>The file with the clock's offset, which the fault 'clock' writes and libfaketime reads.</summary>
    public string ClockFile => Path.Combine(_folder, "clock");

    /// <summary>The addresses; those of the databases and Kafka bypass the proxies.</summary>
    public Endpoints Endpoints { get; private set; } = new(new("http://127.0.0.1"), new Dictionary<string, Uri>(), new Dictionary<string, string>());

    private string EndpointsFile => Path.Combine(_folder, "run", "endpoints.json");

    /// <summary>Returns when every service is healthy.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [_appHost, "--Dashboard=false", "--Infrastructure:Mode=external", $"--RunDirectory={Path.GetDirectoryName(EndpointsFile)}", $"--Replica={Number}", .. Addresses(), .. _arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Mark] = _mark;
        start.Environment["GATEWAY_PORT"] = GatewayPort.ToString(CultureInfo.InvariantCulture);
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        foreach (var (name, connection) in _infrastructure.ConnectionStrings)
        {
            start.Environment[$"ConnectionStrings__{name}"] = connection;
        }

        // Each replica has its own issuer with its own secrets. All issuers know the same people, and their tokens have the same subjects.
        start.Environment["ConnectionStrings__identitydb"] = $"{_infrastructure.ConnectionStrings["ordersdb"].Replace("Database=orders", $"Database=identity{Number}", StringComparison.Ordinal)}";

        _process = Process.Start(start)!;
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_folder)!, $"apphost-{Number}.pid"), _process.Id.ToString(CultureInfo.InvariantCulture), cancellationToken);
        _ = CopyAsync(_process, Path.Combine(_folder, $"apphost-{_process.Id}.log"));
        var begun = Stopwatch.GetTimestamp();
        while (!File.Exists(EndpointsFile))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > s_timeout)
            {
                throw new CampaignException($"Replica {Number} of the system did not become healthy; its output is in {_folder}.");
            }

            await Task.Delay(200, cancellationToken);
        }

        Endpoints = await Endpoints.ReadAsync(EndpointsFile, cancellationToken) with { Postgres = _infrastructure.Databases, Kafka = _infrastructure.Kafka };
    }

    /// <summary>Stops all services in order, as Ctrl-C does.</summary>
    public async Task StopAsync()
    {
        if (_process is { HasExited: false } running)
        {
            Signals.Send(running.Id, "TERM");
            await running.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    /// <summary>The process id of a service; 0 while there is none.</summary>
    public int ProcessOf(string service) => Processes().FirstOrDefault(process => process.Program == ProgramOf(service)).Id;

    /// <summary>All running services.</summary>
    public IEnumerable<(int Id, string Program)> Processes() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0)
        .Select(id => (Id: id, Program: Path.GetFileName(Read($"/proc/{id}/cmdline").Split('\0')[0])))
        .Where(process => s_programs.Contains(process.Program) && Read($"/proc/{process.Id}/environ").Split('\0').Contains($"{Mark}={_mark}"));

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        catch (TimeoutException)
        {
            Signals.Send(_process!.Id, "KILL");
        }

        _process?.Dispose();
        foreach (var proxy in Proxies.Values)
        {
            proxy.Dispose();
        }
    }

    /// <summary>The settings that fix each service's port and make the others call it through its proxy.</summary>
    private IEnumerable<string> Addresses() =>
        s_calledServices.Select(called => FormattableString.Invariant($"--Ports:{called}={_ports[called]}")).Concat(
            from caller in Services
            from called in s_calledServices
            select FormattableString.Invariant($"--Environment:{caller}:services__{called}__http__0=http://127.0.0.1:{Proxies[called].Port}"));

    private static string ProgramOf(string service) => $"OrderInventory.{char.ToUpperInvariant(service[0])}{service[1..]}";

    private static async Task CopyAsync(Process process, string file)
    {
        await using var log = new StreamWriter(file);
        async Task CopyOneAsync(StreamReader reader)
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

        await Task.WhenAll(CopyOneAsync(process.StandardOutput), CopyOneAsync(process.StandardError));
    }

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
