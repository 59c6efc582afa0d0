using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace OrderInventory.AppHost;

/// <summary>What can be set from outside (environment or command line), in one place; <c>docs/operations.md</c> lists it.</summary>
internal sealed class AppHostSettings
{
    private const string Gateway = "gateway";
    private readonly IConfiguration _configuration;
    private readonly string[] _args;

    public AppHostSettings(string[] args)
    {
        Demo = args.Contains("--demo");
        _args = [.. args.Where(argument => argument != "--demo")];
        _configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(_args).Build();
        // Read now, so that errors in them are reported at the start, not when a service crashes.
        RestartsCrashed = Flag("Restart", !RunsInsideATest);
        StartTimeout = TimeSpan.FromMinutes(Number("StartTimeoutMinutes") ?? 10);
        ThrowIfServicesWouldNotServe();
    }

    /// <summary>A time stamp of <see cref="Stopwatch"/>.</summary>
    public long Started { get; } = Stopwatch.GetTimestamp();

    /// <summary>The testing builder runs this entry point inside a test's process, where an error must reach the test.</summary>
    public static bool RunsInsideATest => Assembly.GetEntryAssembly() != typeof(AppHostSettings).Assembly;

    public DistributedApplicationOptions ApplicationOptions => new()
    {
        Args = _args,
        DisableDashboard = InfrastructureOnly || !Flag("Dashboard", true),
    };

    /// <summary>
    /// Defaults for settings that are not configured; an appsettings.json would be read only when started from the AppHost's own folder.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, string?>> Defaults
    {
        get
        {
            // The AppHost ends after all processes it started, so that no service outlives it and no files of a running database are deleted.
            yield return new("DcpPublisher:WaitForResourceCleanup", "true");
            if (!RunsInsideATest)
            {
                // The start report and the supervisor print what the user must know.
                yield return new("Logging:LogLevel:Default", "Warning");
                yield return new("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", "None");
                // The host logs a stack trace for an aborted start; the supervisor has already reported the reason.
                yield return new("Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", "None");
                // No developer certificate and no encrypted key ring: everything here speaks plain HTTP on loopback.
                yield return new("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", "Error");
                yield return new("Logging:LogLevel:Aspire.Hosting.Dcp.DcpHost", "Error");
            }
        }
    }

    /// <summary>Whether a crashed process is restarted. Off inside a test, which kills processes on purpose.</summary>
    public bool RestartsCrashed { get; }

    /// <summary>How long the first start may take until everything is healthy, including image downloads.</summary>
    public TimeSpan StartTimeout { get; }

    /// <summary>Loads a small catalogue and places a few orders when everything is healthy (<c>--demo</c>).</summary>
    public bool Demo { get; }

    /// <summary>Only PostgreSQL, Redis and Kafka, for test fixtures.</summary>
    public bool InfrastructureOnly => Flag("Infrastructure:Only", false);

    public string Mode => Text("Infrastructure:Mode") ?? "auto";

    /// <summary>Keeps PostgreSQL's and a real Kafka's data between starts.</summary>
    public string? DataPath => Text("Infrastructure:DataPath") is { } path ? Path.GetFullPath(path) : null;

    /// <summary><c>auto</c>, <c>real</c> (an Apache Kafka in KAFKA_HOME) or <c>mock</c> (librdkafka's broker).</summary>
    public string Kafka => Text("Infrastructure:Kafka") ?? "auto";

    /// <summary><c>auto</c>, <c>maildev</c> or <c>pickup</c>.</summary>
    public string Mail => Text("Infrastructure:Mail") ?? "auto";

    public string? KafkaHome => Text("KAFKA_HOME");

    public int KafkaPartitions => Number("Kafka:Partitions") ?? 4;

    /// <summary>The number of this system among several on the same servers (<c>external</c>): each system has a replica of every service.</summary>
    public int Replica => Number("Replica") ?? 1;

    /// <summary>The port of a service (<c>Ports:orders</c>, and <c>GATEWAY_PORT</c>); null for any free one.</summary>
    public int? PortOf(string name) => IsGateway(name) ? GatewayPort : Port($"Ports:{name}");

    /// <summary>Environment variables of one service's process: <c>Environment:orders:LD_PRELOAD</c>.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ServiceEnvironment(string name) =>
        _configuration.GetSection($"Environment:{name}").GetChildren().Select(variable => new KeyValuePair<string, string?>(variable.Key, variable.Value));

    /// <summary>Sends the services' telemetry to your own collector instead of the dashboard.</summary>
    public string? OtlpEndpoint => Text("Otlp:Endpoint");

    public string OtlpProtocol => Text("Otlp:Protocol") ?? "grpc";

    /// <summary>The folder of endpoints.json; in a test, the file is written only if this is set.</summary>
    public string? RunDirectory => Text("RunDirectory");

    /// <summary>8080 unless GATEWAY_PORT says otherwise; any free port inside a test.</summary>
    private int? GatewayPort => Port("GATEWAY_PORT") ?? Port($"Ports:{Gateway}") ?? (RunsInsideATest ? null : 8080);

    /// <summary>Settings of one service, given to the AppHost: the section of its name, such as <c>Orders:StockCheck</c>.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ServiceSettings(string name) =>
        _configuration.GetSection(name).AsEnumerable().Where(setting => setting.Value is not null);

    /// <summary>
    /// Development must be requested: by the environment, or for the issuer alone, so that a measured system is otherwise as in production.
    /// </summary>
    public bool WantsDevelopmentIssuer(bool isDevelopment) => Flag("Authentication:DevelopmentIssuer", isDevelopment);

    /// <summary>Whether the services accept tokens of your own provider: <c>Authentication:Authority</c>.</summary>
    public bool HasAuthority => Text("Authentication:Authority") is not null;

    /// <summary>
    /// A service's settings for that provider: the section <c>Authentication</c>, and from <c>Authentication:Clients</c> its own client, whose id is
    /// the service's name by default.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string?>> AuthenticationOf(string service) =>
        _configuration.GetSection("Authentication").AsEnumerable()
            .Where(setting => setting.Value is not null && !setting.Key.StartsWith("Authentication:Clients", StringComparison.OrdinalIgnoreCase))
            .Append(new("Authentication:ClientId", Text($"Authentication:Clients:{service}:Id") ?? service))
            .Append(new("Authentication:ClientSecret", Text($"Authentication:Clients:{service}:Secret") ?? ""));

    public string? ConnectionString(string name) => _configuration.GetConnectionString(name);

    /// <summary>Checked before anything starts: a service whose port is taken would only crash, three times.</summary>
    public void ThrowIfAPortIsTaken()
    {
        if (InfrastructureOnly)
        {
            return;
        }

        var taken = new Dictionary<int, string>();
        foreach (var service in _configuration.GetSection("Ports").GetChildren().Select(port => port.Key).Append(Gateway).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (PortOf(service) is not { } port)
            {
                continue;
            }

            var setting = IsGateway(service) ? "GATEWAY_PORT" : $"Ports:{service}";
            var portText = $"Port {port.ToString(CultureInfo.InvariantCulture)}";
            if (!taken.TryAdd(port, service))
            {
                throw new DistributedApplicationException($"{portText} is assigned to both {taken[port]} and {service}: choose another one with {setting}.");
            }

            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
            }
            catch (SocketException)
            {
                throw new DistributedApplicationException($"{portText} of {service} is in use by another process: end it, or choose another port with {setting}.");
            }
        }
    }

    /// <summary>A setting with a misspelled service name would have no effect.</summary>
    public void ThrowIfAServiceIsUnknown(IReadOnlyCollection<string> services)
    {
        foreach (var setting in _configuration.GetSection("Ports").GetChildren().Concat(_configuration.GetSection("Environment").GetChildren()))
        {
            if (!services.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new DistributedApplicationException($"{setting.Path}: there is no service '{setting.Key}'. The services are {string.Join(", ", services.Order())}.");
            }
        }
    }

    /// <summary>
    /// Checks Database:Migrations, which every service inherits: with Only each would end and be restarted, with Never each would wait for migrations
    /// of a new database.
    /// </summary>
    private void ThrowIfServicesWouldNotServe()
    {
        if (Text("Database:Migrations") is { } mode && !Is(mode, "AtStart") && !(Is(mode, "Never") && Mode == "external"))
        {
            throw new DistributedApplicationException($"Database:Migrations must be AtStart, or Never with Infrastructure:Mode=external, not '{mode}'.");
        }

        static bool Is(string mode, string name) => mode.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsGateway(string service) => service.Equals(Gateway, StringComparison.OrdinalIgnoreCase);

    private string? Text(string key) => _configuration[key] is { Length: > 0 } value ? value : null;

    private bool Flag(string key, bool otherwise) => Text(key) is not { } value
        ? otherwise
        : bool.TryParse(value, out var flag) ? flag : throw new DistributedApplicationException($"{key} must be true or false, not '{value}'.");

    private int? Number(string key) => Text(key) is not { } value
        ? null
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new DistributedApplicationException($"{key} must be a number, not '{value}'.");

    private int? Port(string key) => Number(key) is not { } port
        ? null
        : port is > 0 and <= 65_535 ? port : throw new DistributedApplicationException($"{key} must be a port from 1 to 65535, not '{Text(key)}'.");
}
