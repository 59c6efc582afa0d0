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
    private readonly IConfiguration _configuration;
    private readonly string[] _args;

    public AppHostSettings(string[] args)
    {
        Demo = args.Contains("--demo");
        _args = [.. args.Where(argument => argument != "--demo")];
        _configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(_args).Build();
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

    /// <summary>Loads a small catalogue and places a few orders when all is healthy (<c>--demo</c>).</summary>
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

    public int KafkaPartitions => Number("Kafka:Partitions") ?? 12;

    /// <summary>Sends the services' telemetry to a collector of one's own instead of the dashboard.</summary>
    public string? OtlpEndpoint => Text("Otlp:Endpoint");

    public string OtlpProtocol => Text("Otlp:Protocol") ?? "grpc";

    /// <summary>Where endpoints.json goes; a test's system writes none unless told to.</summary>
    public string? RunDirectory => Text("RunDirectory");

    /// <summary>8080 unless GATEWAY_PORT says otherwise; any free port inside a test.</summary>
    public int? GatewayPort => Number("GATEWAY_PORT") ?? (RunsInsideATest ? null : 8080);

    /// <summary>Settings of one service, given to the AppHost: the section of its name, such as <c>Orders:StockCheck</c>.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ServiceSettings(string name) =>
        _configuration.GetSection(name).AsEnumerable().Where(setting => setting.Value is not null);

    public string? ConnectionString(string name) => _configuration.GetConnectionString(name);

    public void ThrowIfGatewayPortIsTaken()
    {
        if (InfrastructureOnly || GatewayPort is not { } port)
        {
            return;
        }

        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
        }
        catch (SocketException)
        {
            throw new DistributedApplicationException(
                $"Port {port.ToString(CultureInfo.InvariantCulture)}, the gateway's, is taken by another process: end it, or choose another port with GATEWAY_PORT.");
        }
    }

    private string? Text(string key) => _configuration[key] is { Length: > 0 } value ? value : null;

    private bool Flag(string key, bool otherwise) => Text(key) is not { } value
        ? otherwise
        : bool.TryParse(value, out var flag) ? flag : throw new DistributedApplicationException($"{key} is true or false, not '{value}'.");

    private int? Number(string key) => Text(key) is not { } value
        ? null
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new DistributedApplicationException($"{key} is a number, not '{value}'.");
}
