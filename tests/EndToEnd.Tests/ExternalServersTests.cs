using System.Diagnostics;
using System.Net;
using Npgsql;
using OrderInventory.AppHost.Infrastructure;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>External servers as in docs/operations.md: a role for each service, migrations as a separate step, a pooler before PostgreSQL.</summary>
public sealed class ExternalServersTests
{
    private const int Orders = 40;
    private static readonly string[] s_services = ["Orders", "Inventory", "Products", "Customers", "Notifications"];
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(1);

    // Fails when a service keeps state in a PostgreSQL session, such as a prepared statement, or needs a second connection while it holds one.
    [ProgramFact("pgbouncer", "pgbouncer")]
    public async Task A_shop_needs_one_connection_for_each_database_behind_a_pooler_of_transactions()
    {
        await using var servers = await AppHostRunner.StartAsync(["--Infrastructure:Only=true", "--Infrastructure:Mode=embedded"]);
        foreach (var server in new[] { "postgres", "redis", "kafka" })
        {
            await servers.WaitUntilHealthyAsync(server);
        }

        var administrator = new NpgsqlConnectionStringBuilder(await servers.ConnectionStringAsync("postgres")) { Database = "postgres", Pooling = false };
        var (redis, kafka) = (await servers.ConnectionStringAsync("redis"), await servers.ConnectionStringAsync("kafka"));
        var owners = s_services.ToDictionary(service => service, service => Owner(service.ToLowerInvariant()));
        // The development issuer is not part of a deployment: it has its own connection and migrates at start.
        var issuer = Owner("identity");
        foreach (var owner in owners.Values.Append(issuer))
        {
            await ServiceDatabases.CreateAsync(administrator.ConnectionString, owner.Database!, owner.Password!, CancellationToken.None);
        }

        await Task.WhenAll(owners.Select(owner => MigrateAsync(owner.Key, owner.Value)));

        using var pooler = new PgBouncer(administrator, owners.Values);
        // Refused at start: settings that would prepare statements or migrate through the pooler.
        foreach (var (migrations, prepared) in new[] { ("Never", 100), ("AtStart", 0), ("Only", 0) })
        {
            var (exitCode, output) = await RunAsync(
                "Products", $"--Database:Migrations={migrations}", $"--ConnectionStrings:productsdb={pooler.ConnectionString(owners["Products"])};Max Auto Prepare={prepared}",
                $"--ConnectionStrings:redis={redis}", $"--ConnectionStrings:kafka={kafka}", "--urls=http://127.0.0.1:0");
            Assert.NotEqual(0, exitCode);
            Assert.Contains("'products' leads to a pooler that assigns connections per transaction", output, StringComparison.Ordinal);
        }

        await using var system = await AppHostRunner.StartAsync(
        [
            "--Infrastructure:Mode=external", $"--ConnectionStrings:mail={new Uri(pooler.Folder)}", $"--ConnectionStrings:identitydb={issuer}",
            $"--ConnectionStrings:redis={redis}", $"--ConnectionStrings:kafka={kafka}",
            .. owners.Values.Select(owner => $"--ConnectionStrings:{owner.Database}db={pooler.ConnectionString(owner)}"),
            .. owners.Values.Select(owner => $"--Environment:{owner.Database}:Database__Migrations=Never"),
            // The mock broker makes a topic when it is first used.
            .. owners.Values.Select(owner => $"--Environment:{owner.Database}:Messaging__CreateTopics={servers.KafkaIsReal}"),
        ]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var (customer, product) = (await shop.CustomerAsync(), await shop.ProductAsync(stock: Orders - 10));

        var answers = await Task.WhenAll(Enumerable.Range(0, Orders).Select(_ => shop.PlaceAsync(customer, (product, 1))));

        Assert.Equal(Orders - 10, answers.Count(answer => answer.Status == HttpStatusCode.Created && (string?)answer.Body["status"] == "confirmed"));
        Assert.Equal((Orders - 10, Orders - 10, 0), await shop.StockAsync(product));
        Assert.True((bool)(await shop.GetAsync("/api/inventory/reconciliation"))["items"]![0]!["balanced"]!);
        Assert.All(
            await Task.WhenAll(new[] { "orders", "inventory", "notifications" }.Select(service => shop.GetAsync($"/api/{service}/dead-letters"))),
            letters => Assert.Empty(letters["items"]!.AsArray()));
        await using var direct = NpgsqlDataSource.Create(administrator);
        await using var connections = direct.CreateCommand("SELECT max(count) FROM (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'OrderInventory.%' AND datname <> 'identity' GROUP BY datname) AS d");
        Assert.Equal(1L, await connections.ExecuteScalarAsync());

        NpgsqlConnectionStringBuilder Owner(string name) => new(administrator.ConnectionString) { Username = name, Database = name, Password = $"{Guid.CreateVersion7():N}" };
    }

    private static async Task MigrateAsync(string service, NpgsqlConnectionStringBuilder owner)
    {
        var (exitCode, output) = await RunAsync(service, "--Database:Migrations=Only", $"--ConnectionStrings:{owner.Database}db={owner}", "--ConnectionStrings:mail=file:///nowhere");
        Assert.True(exitCode == 0, output);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(string service, params string[] settings) => ProgramRun.RunAsync(
        "dotnet", [Path.Combine(Repository.Root, "services", service, Repository.Output, $"OrderInventory.{service}.dll"), .. settings],
        // A service that refuses to start ends with an exception; this is not a crash to report.
        environment: [("DOTNET_ENVIRONMENT", "Development"), ("DOTNET_DbgEnableMiniDump", "0")]);

    /// <summary>PgBouncer in transaction mode, with one connection for each database.</summary>
    private sealed class PgBouncer : IDisposable
    {
        private readonly int _port = Ports.Free();
        private readonly Process _process;

        public PgBouncer(NpgsqlConnectionStringBuilder server, IEnumerable<NpgsqlConnectionStringBuilder> owners)
        {
            File.WriteAllText(
                Path.Combine(Folder, "pgbouncer.ini"),
                $"""
                [databases]
                {string.Join('\n', owners.Select(owner => $"{owner.Database} = host={server.Host} port={server.Port} user={owner.Username} password={owner.Password}"))}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {_port}
                unix_socket_dir =
                auth_type = any
                pool_mode = transaction
                default_pool_size = 1
                max_client_conn = 400
                ignore_startup_parameters = options
                """);
            string[] command = ["pgbouncer", "-q", Path.Combine(Folder, "pgbouncer.ini")];
            if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess)
            {
                // PgBouncer refuses to run as root.
                File.SetUnixFileMode(Folder, File.GetUnixFileMode(Folder) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
                command = ["setpriv", .. UnprivilegedUser.Find().RunAs(command[0]), .. command[1..]];
            }

            _process = Process.Start(command[0], command[1..]);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("order-inventory-pooler-").FullName;

        /// <summary>As docs/operations.md requires: nothing is prepared, because the next transaction may be on another connection.</summary>
        public string ConnectionString(NpgsqlConnectionStringBuilder owner) => $"Host=127.0.0.1;Port={_port};Username={owner.Username};Database={owner.Database};Max Auto Prepare=0";

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit(s_timeout);
            _process.Dispose();
            Directory.Delete(Folder, recursive: true);
        }
    }
}
