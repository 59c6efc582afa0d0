using System.Globalization;
using System.Security.Cryptography;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>A real Apache Kafka (KRaft, one process) where KAFKA_HOME and java exist, otherwise librdkafka's built-in mock broker.</summary>
internal sealed class EmbeddedKafka : IDisposable
{
    private const int MockPartitions = 4;
    private readonly IDistributedApplicationBuilder _builder;
    private readonly DataFolder _data;
    private readonly string? _libs;
    private readonly string _java;
    private MockBroker? _mock;

    private EmbeddedKafka(IDistributedApplicationBuilder builder, DataFolder data, string? libs, string java, int partitions, string description)
    {
        _builder = builder;
        _data = data;
        _libs = libs;
        _java = java;
        Partitions = partitions;
        Description = description;
    }

    public string Description { get; }

    public int Partitions { get; }

    public bool IsReal => _libs is not null;

    public static EmbeddedKafka Prepare(IDistributedApplicationBuilder builder, DataFolder data, AppHostSettings settings)
    {
        var libs = settings.KafkaHome is { } home ? Path.Combine(home, "libs") : null;
        var java = FindJava();
        var whyNotReal = libs is null ? "KAFKA_HOME is not set"
            : !Directory.Exists(libs) || !Directory.EnumerateFiles(libs, "kafka-server-*.jar").Concat(Directory.EnumerateFiles(libs, "kafka_*.jar")).Any() ? $"there is no Kafka in {libs}"
            : java is null ? "java is missing (Debian: apt-get install default-jre-headless)"
            : null;

        return settings.Kafka switch
        {
            "auto" when whyNotReal is null => Real(),
            "auto" or "mock" => new EmbeddedKafka(builder, data, null, "", MockPartitions,
                $"Kafka = librdkafka's mock broker, which loses all data when it stops ({(settings.Kafka == "mock" ? "as configured" : whyNotReal)})"),
            "real" => whyNotReal is null ? Real() : throw new DistributedApplicationException(
                $"Infrastructure:Kafka=real needs an Apache Kafka and Java 17 or newer: {whyNotReal}. Set KAFKA_HOME to a folder with libs/*.jar."),
            var other => throw new DistributedApplicationException($"Infrastructure:Kafka must be auto, real or mock, not '{other}'."),
        };

        EmbeddedKafka Real() => new(builder, data, libs!, java!, settings.KafkaPartitions, $"a real Kafka from {settings.KafkaHome}");
    }

    public IResourceBuilder<IResourceWithConnectionString> Add(string name) => _libs is null ? AddMock(name) : AddReal(name);

    public void Dispose() => _mock?.Dispose();

    private IResourceBuilder<EmbeddedPlace> AddMock(string name)
    {
        _mock = new();
        return _builder.AddPlace(new EmbeddedPlace(name, _mock.Address));
    }

    private IResourceBuilder<EmbeddedServer> AddReal(string name)
    {
        var folder = _data.CreatePrivateFolder("kafka");
        var properties = Path.Combine(folder, "server.properties");
        var logging = Path.Combine(folder, "log4j2.properties");
        var server = _builder.AddResource(new EmbeddedServer(name, _java, folder)).WithPort("tcp").WithPort("controller");
        server.Resource.ConnectionStringExpression = ReferenceExpression.Create($"127.0.0.1:{server.Port("tcp")}");
        string Address(string endpoint) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.GetEndpoint(endpoint).Port}");

        _builder.Services.AddHealthChecks().AddAsyncCheck($"{name}_check", stop => CheckAsync(Address("tcp"), stop));
        return server
            .WithArgs(
                "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
                $"-Dlog4j2.configurationFile={logging}", "-cp", Path.Combine(_libs!, "*"), "kafka.Kafka", properties)
            .WithHealthCheck($"{name}_check")
            .OnBeforeResourceStarted(async (_, _, stop) =>
            {
                await File.WriteAllTextAsync(properties, Properties(folder, Address("tcp"), Address("controller")), stop);
                await File.WriteAllTextAsync(logging, Logging, stop);
                if (!File.Exists(Path.Combine(folder, "data", "meta.properties")))
                {
                    // The id must not begin with '-' (one in 64 would): Kafka's tool would take it for an option and fail.
                    var random = RandomNumberGenerator.GetBytes(16);
                    random[0] &= 0x7F;
                    var clusterId = Convert.ToBase64String(random).TrimEnd('=').Replace('+', '-').Replace('/', '_');
                    await Command.RunAsync(
                        "Formatting Kafka's storage",
                        _java,
                        ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", $"-Dlog4j2.configurationFile={logging}", "-cp", Path.Combine(_libs!, "*"), "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", properties],
                        cancellationToken: stop);
                }
            });
    }

    private static string Properties(string folder, string address, string controller) => $"""
        process.roles=broker,controller
        node.id=1
        controller.quorum.voters=1@{controller}
        listeners=PLAINTEXT://{address},CONTROLLER://{controller}
        advertised.listeners=PLAINTEXT://{address}
        controller.listener.names=CONTROLLER
        inter.broker.listener.name=PLAINTEXT
        log.dirs={Path.Combine(folder, "data")}
        num.partitions=4
        auto.create.topics.enable=true
        offsets.topic.replication.factor=1
        offsets.topic.num.partitions=4
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        share.coordinator.state.topic.replication.factor=1
        share.coordinator.state.topic.min.isr=1
        # Taken at the start, 128 MB by default; only the consumers' offsets are compacted here.
        log.cleaner.dedupe.buffer.size=8388608
        group.initial.rebalance.delay.ms=0
        # A broker that was killed waits for its own old session before it is back: 9 s by default. Much less, and a busy machine fences a live broker.
        broker.session.timeout.ms=3000
        broker.heartbeat.interval.ms=500

        """;

    private const string Logging = """
        status = error
        appender.out.type = Console
        appender.out.name = out
        appender.out.layout.type = PatternLayout
        appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
        rootLogger.level = error
        rootLogger.appenderRef.out.ref = out

        """;

    private static async Task<HealthCheckResult> CheckAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = await Task.Run(() => FetchMetadata(address), cancellationToken);
            return metadata.Brokers.Count > 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The cluster has no brokers.");
        }
        catch (KafkaException problem)
        {
            return HealthCheckResult.Unhealthy(problem.Error.Reason);
        }
    }

    /// <summary>
    /// Creates a client for each check: if the shutdown disposed of a shared client while a check uses it, the process would crash.
    /// </summary>
    private static Metadata FetchMetadata(string address)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = address }).SetLogHandler(static (_, _) => { }).Build();
        return admin.GetMetadata(TimeSpan.FromSeconds(2));
    }

    private static string? FindJava()
        => Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 } home && Path.Combine(home, "bin", "java") is var java && File.Exists(java)
            ? java
            : Command.Find("java");
}
