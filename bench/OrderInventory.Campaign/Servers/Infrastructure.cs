using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Confluent.Kafka;
using Npgsql;

namespace OrderInventory.Campaign.Servers;

/// <summary>
/// PostgreSQL, Garnet and Kafka as the campaign's own processes, each behind a <see cref="Proxy"/>: the services know only the proxies. The
/// campaign's own reads bypass them.
/// </summary>
internal sealed class Infrastructure : IAsyncDisposable
{
    private static readonly string[] s_services = ["orders", "inventory", "products", "customers", "notifications"];
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(90);
    private readonly string _folder;
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    private readonly List<Server> _servers = [];
    private readonly List<Proxy> _proxies = [];
    private readonly string[] _asUser;
    private int _postgresPort;

    private Infrastructure(string folder)
    {
        _folder = folder;
        // PostgreSQL refuses to run as root.
        _asUser = Environment.IsPrivilegedProcess ? UnprivilegedUser() : [];
    }

    public IReadOnlyList<Server> Servers => _servers;

    public IReadOnlyList<Proxy> Proxies => _proxies;

    /// <summary>Connection strings that bypass the proxy, by service.</summary>
    public IReadOnlyDictionary<string, string> Databases { get; private set; } = new Dictionary<string, string>();

    /// <summary>Addresses that bypass the proxies. The addresses that this listener advertises to Kafka's clients bypass them too.</summary>
    public string Kafka { get; private set; } = "";

    /// <summary>Connection strings through the proxies, for an AppHost (Infrastructure:Mode=external).</summary>
    public Dictionary<string, string> ConnectionStrings { get; } = [];

    /// <summary>PostgreSQL's data folder, which can be filled.</summary>
    public string PostgresFolder => Path.Combine(_folder, "postgres");

    /// <summary>The data folder of the first broker, which can be filled too.</summary>
    public string SmallKafkaFolder => Path.Combine(_folder, "kafka-1");

    public static async Task<Infrastructure> StartAsync(string folder, int brokers, CancellationToken cancellationToken)
    {
        var infrastructure = new Infrastructure(folder);
        try
        {
            await infrastructure.StartPostgresAsync(cancellationToken);
            infrastructure.StartRedis();
            await infrastructure.StartKafkaAsync(brokers, cancellationToken);
            Directory.CreateDirectory(Path.Combine(folder, "mail"));
            infrastructure.ConnectionStrings["mail"] = new Uri(Path.Combine(folder, "mail")).AbsoluteUri;
            return infrastructure;
        }
        catch
        {
            await infrastructure.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _proxies.ForEach(proxy => proxy.Dispose());
        await Task.WhenAll(_servers.Select(server => server.DisposeAsync().AsTask()));
    }

    private string Backup => Path.Combine(_folder, "backup");

    private string Wal => Path.Combine(_folder, "wal");

    /// <summary>Makes a base backup. All WAL since its beginning is kept until <see cref="RestoreAsync"/>.</summary>
    /// <exception cref="FaultNotDoneException">The backup failed; PostgreSQL is unchanged.</exception>
    public async Task BackUpAsync()
    {
        foreach (var folder in (string[])[Backup, Wal])
        {
            Directory.CreateDirectory(folder);
            await OwnAsync(folder);
        }

        await ExecuteAsync("SELECT pg_create_physical_replication_slot('backup', true)");
        try
        {
            var start = AsUser(PostgresProgram("pg_basebackup"), ["-h", "127.0.0.1", "-p", Text(_postgresPort), "-U", "postgres", "-D", Backup, "-X", "none", "-c", "fast"]);
            start.Environment["PGPASSWORD"] = _password;
            await RunAsync(start, CancellationToken.None);
        }
        catch (CampaignException problem)
        {
            await ExecuteAsync("SELECT pg_drop_replication_slot('backup')");
            DeleteBackup();
            throw new FaultNotDoneException(problem.Message);
        }
    }

    /// <summary>Creates a restore point with this name, so that PostgreSQL can be restored to it.</summary>
    public Task MarkAsync(string moment) => ExecuteAsync($"SELECT pg_create_restore_point('{moment}')");

    /// <summary>Kills PostgreSQL, deletes its data, and restores it from the backup and its WAL.</summary>
    /// <param name="moment">The restore point to stop at; null for all of the WAL.</param>
    public async Task RestoreAsync(string? moment = null)
    {
        await Named("postgres").WhileDownAsync(() => RunAsUserAsync("sh", ["-ec", Restore, PostgresFolder, Backup, Wal, moment ?? ""], CancellationToken.None));
        // PostgreSQL answers reads before it has recovered, so this is a write.
        await EventuallyAsync("PostgreSQL", () => ExecuteAsync("CREATE TEMPORARY TABLE restored ()"), CancellationToken.None);
        DeleteBackup();
    }

    /// <summary>Deletes all data of Redis and all topics of Kafka.</summary>
    public async Task EmptyRedisAndKafkaAsync()
    {
        await Named("redis").WhileDownAsync(() => Task.CompletedTask);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Kafka }).SetLogHandler(static (_, _) => { }).Build();
        var topics = admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.Select(topic => topic.Topic).Where(topic => !topic.StartsWith("__", StringComparison.Ordinal)).ToList();
        await admin.DeleteTopicsAsync(topics);
        await EventuallyAsync("Kafka without topics", () => admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.Any(topic => topics.Contains(topic.Topic))
            ? throw new KafkaException(new Error(ErrorCode.Local_Fail, "The topics still exist."))
            : Task.CompletedTask, CancellationToken.None);
    }

    /// <summary>With <c>recovery.signal</c> the server recovers from the WAL that restore_command finds, to its end or to a restore point.</summary>
    private const string Restore =
        """
        cp -a "$0/pg_wal/." "$2/"
        find "$0" -mindepth 1 -delete
        cp -a "$1/." "$0/"
        chmod 700 "$0"
        echo "restore_command = 'cp $2/%f %p'" >> "$0/postgresql.auto.conf"
        [ -z "$3" ] || printf "recovery_target_name = '%s'\nrecovery_target_action = promote\n" "$3" >> "$0/postgresql.auto.conf"
        touch "$0/recovery.signal"
        """;

    private void DeleteBackup()
    {
        foreach (var folder in ((string[])[Backup, Wal]).Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Server Named(string name) => _servers.Single(server => server.Name == name);

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = new NpgsqlConnection($"{Databases["orders"]};Pooling=false;Timeout=5");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task OwnAsync(string path) => _asUser.Length == 0 ? Task.CompletedTask : RunAsync("chown", ["-R", _asUser[0].Split('=')[1], path], CancellationToken.None);

    private async Task StartPostgresAsync(CancellationToken cancellationToken)
    {
        var port = _postgresPort = Ports.Free();
        var password = Path.Combine(_folder, "postgres.password");
        await File.WriteAllTextAsync(password, _password, cancellationToken);
        Directory.CreateDirectory(PostgresFolder);
        await OwnAsync(PostgresFolder);
        await OwnAsync(password);
        await RunAsUserAsync(PostgresProgram("initdb"), ["-D", PostgresFolder, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale", "C.UTF-8"], cancellationToken);
        string[] arguments =
        [
            "-D", PostgresFolder, "-p", Text(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300", "-c", "shared_buffers=128MB",
            "-c", "max_wal_size=1GB", "-c", "jit=off", "-c", "log_min_messages=fatal",
        ];
        _servers.Add(new("postgres", _folder, () => AsUser(PostgresProgram("postgres"), arguments)));
        var proxy = AddProxy("postgres", port);
        var server = $"Host=127.0.0.1;Port={Text(port)};Username=postgres;Password={_password}";
        await EventuallyAsync("PostgreSQL", async () =>
        {
            await using var connection = new NpgsqlConnection($"{server};Database=postgres;Pooling=false;Timeout=3");
            await connection.OpenAsync(cancellationToken);
            foreach (var service in (string[])[.. s_services, .. Enumerable.Range(1, Replica.Most).Select(number => $"identity{Text(number)}")])
            {
                await using var create = new NpgsqlCommand($"CREATE DATABASE {service}", connection);
                await create.ExecuteNonQueryAsync(cancellationToken);
            }
        }, cancellationToken);
        Databases = s_services.ToDictionary(service => service, service => $"{server};Database={service}");
        foreach (var service in s_services)
        {
            ConnectionStrings[$"{service}db"] = $"Host=127.0.0.1;Port={Text(proxy.Port)};Username=postgres;Password={_password};Database={service}";
        }
    }

    private void StartRedis()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder ? folder : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var tool = Path.Combine(packages, "garnet-server");
        var server = Directory.Exists(tool) ? Directory.EnumerateFiles(tool, "GarnetServer.dll", SearchOption.AllDirectories).FirstOrDefault(file => file.Contains("net10.0", StringComparison.Ordinal)) : null;
        server = server ?? throw new CampaignException("Garnet is missing: dotnet tool restore.");
        var port = Ports.Free();
        _servers.Add(new("redis", _folder, () => new("dotnet", [server, "--bind", "127.0.0.1", "--port", Text(port), "--memory", "128m", "--page", "1m", "--index", "4m", "--logger-level", "Error", "-q"])
        {
            Environment = { ["DOTNET_gcServer"] = "0" },
        }));
        ConnectionStrings["redis"] = $"127.0.0.1:{Text(AddProxy("redis", port).Port)}";
    }

    private async Task StartKafkaAsync(int brokers, CancellationToken cancellationToken)
    {
        var libs = Path.Combine(Environment.GetEnvironmentVariable("KAFKA_HOME") ?? throw new CampaignException("KAFKA_HOME is not set: set it to the folder of an Apache Kafka."), "libs", "*");
        var ports = Enumerable.Range(0, brokers).Select(_ => (Direct: Ports.Free(), ForServices: Ports.Free(), Controller: Ports.Free(), Inner: Ports.Free())).ToList();
        var voters = string.Join(',', ports.Select((p, i) => $"{i + 1}@127.0.0.1:{Text(p.Controller)}"));
        var cluster = Convert.ToBase64String([.. RandomNumberGenerator.GetBytes(15), 0]).TrimEnd('=').Replace('+', '0').Replace('/', '0');
        var proxies = ports.Select((p, i) => AddProxy($"kafka-{Text(i + 1)}", p.ForServices)).ToList();
        for (var i = 0; i < brokers; i++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, $"kafka-{Text(i + 1)}")).FullName;
            var (properties, logging) = (Path.Combine(folder, "server.properties"), Path.Combine(folder, "log4j2.properties"));
            await File.WriteAllTextAsync(properties, Properties(i + 1, folder, voters, ports[i], proxies[i].Port, brokers), cancellationToken);
            await File.WriteAllTextAsync(logging, Logging, cancellationToken);
            string[] java = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", $"-Dlog4j2.configurationFile={logging}", "-cp", libs];
            await RunAsync("java", [.. java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties], cancellationToken);
            _servers.Add(new($"kafka-{Text(i + 1)}", _folder, () => new("java", ["-Xms96m", "-Xmx384m", "-XX:+ExitOnOutOfMemoryError", .. java, "kafka.Kafka", properties])));
        }

        Kafka = string.Join(',', ports.Select(p => $"127.0.0.1:{Text(p.Direct)}"));
        ConnectionStrings["kafka"] = string.Join(',', proxies.Select(proxy => $"127.0.0.1:{Text(proxy.Port)}"));
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Kafka }).SetLogHandler(static (_, _) => { }).Build();
        await EventuallyAsync("Kafka", async () =>
        {
            var known = await Task.Run(() => admin.GetMetadata(TimeSpan.FromSeconds(3)), cancellationToken);
            if (known.Brokers.Count < brokers)
            {
                throw new KafkaException(new Error(ErrorCode.Local_Fail, $"{known.Brokers.Count} of {brokers} brokers are running."));
            }
        }, cancellationToken);
    }

    private static string Properties(int id, string folder, string voters, (int Direct, int ForServices, int Controller, int Inner) ports, int proxy, int brokers) => $"""
        process.roles=broker,controller
        node.id={Text(id)}
        controller.quorum.voters={voters}
        listeners=DIRECT://127.0.0.1:{Text(ports.Direct)},SERVICES://127.0.0.1:{Text(ports.ForServices)},INNER://127.0.0.1:{Text(ports.Inner)},CONTROLLER://127.0.0.1:{Text(ports.Controller)}
        advertised.listeners=DIRECT://127.0.0.1:{Text(ports.Direct)},SERVICES://127.0.0.1:{Text(proxy)},INNER://127.0.0.1:{Text(ports.Inner)}
        listener.security.protocol.map=DIRECT:PLAINTEXT,SERVICES:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
        controller.listener.names=CONTROLLER
        inter.broker.listener.name=INNER
        log.dirs={Path.Combine(folder, "data")}
        num.partitions=4
        default.replication.factor={Text(brokers)}
        min.insync.replicas={Text(Math.Min(2, brokers))}
        unclean.leader.election.enable=false
        offsets.topic.replication.factor={Text(brokers)}
        offsets.topic.num.partitions=4
        transaction.state.log.replication.factor={Text(brokers)}
        transaction.state.log.min.isr=1
        share.coordinator.state.topic.replication.factor={Text(brokers)}
        share.coordinator.state.topic.min.isr=1
        group.initial.rebalance.delay.ms=0
        broker.session.timeout.ms=6000
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

    private Proxy AddProxy(string name, int target)
    {
        var proxy = new Proxy(name, target);
        _proxies.Add(proxy);
        return proxy;
    }

    private static string PostgresProgram(string name) => Environment.GetEnvironmentVariable("PATH")!.Split(':')
        .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin")) : [])
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new CampaignException($"PostgreSQL's {name} is missing (Debian: apt-get install postgresql).");

    private static string[] UnprivilegedUser()
    {
        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToLookup(fields => fields[0]);
        var user = users["postgres"].Concat(users["nobody"]).FirstOrDefault() ?? throw new CampaignException("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody'.");
        return [$"--reuid={user[2]}", $"--regid={user[3]}", "--clear-groups"];
    }

    private ProcessStartInfo AsUser(string command, string[] arguments) =>
        _asUser.Length == 0 ? new(command, arguments) : new("setpriv", [.. _asUser, command, .. arguments]) { WorkingDirectory = "/" };

    private Task RunAsUserAsync(string command, string[] arguments, CancellationToken cancellationToken) => RunAsync(AsUser(command, arguments), cancellationToken);

    private static Task RunAsync(string command, string[] arguments, CancellationToken cancellationToken) => RunAsync(new(command, arguments), cancellationToken);

    private static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            using var process = Process.Start(start)!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new CampaignException($"{start.FileName} {string.Join(' ', start.ArgumentList.Take(6))} failed: {await errors}{await output}");
            }
        }
        catch (Win32Exception problem)
        {
            throw new CampaignException($"{start.FileName} cannot be started: {problem.Message}");
        }
    }

    private static async Task EventuallyAsync(string what, Func<Task> attempt, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await attempt();
                return;
            }
            catch (Exception problem) when (problem is NpgsqlException or KafkaException && Stopwatch.GetElapsedTime(start) < s_timeout)
            {
                await Task.Delay(300, cancellationToken);
            }
            catch (Exception problem) when (problem is NpgsqlException or KafkaException)
            {
                throw new CampaignException($"{what} did not start: {problem.Message}");
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
