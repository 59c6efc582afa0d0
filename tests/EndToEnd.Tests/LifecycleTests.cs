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

/// <summary>Start, stop and crash of the AppHost as its own process, as run.sh starts it.</summary>
public sealed class LifecycleTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Stops_everything_on_SIGTERM_to_its_own_process()
    {
        await using var system = await AppHostProcess.StartAsync();
        var processes = system.Processes();
        Assert.True(processes.Count > 9, $"only {processes.Count} processes were found");
        // The file holds connection strings.
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(system.EndpointsFile).UnixFileMode);

        await system.SignalAsync("TERM");

        await Eventually.TrueAsync(() => system.HasExited, TimeSpan.FromSeconds(30), "the AppHost's end");
        await Eventually.TrueAsync(() => processes.All(AppHostProcess.IsGone), TimeSpan.FromSeconds(5), "the end of all its processes");
        Assert.Equal(0, system.ExitCode);
        Assert.False(File.Exists(system.EndpointsFile));
        Assert.False(Directory.Exists(system.DataFolder));
        Assert.DoesNotContain("   at ", system.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leaves_no_process_when_killed_and_another_copy_keeps_running()
    {
        await using var other = await AppHostProcess.StartAsync();
        await using var system = await AppHostProcess.StartAsync(other);
        var processes = system.Processes();
        Assert.True(processes.Count > 9, $"only {processes.Count} processes were found");

        await system.SignalAsync("KILL");

        await Eventually.TrueAsync(() => processes.All(AppHostProcess.IsGone), TimeSpan.FromSeconds(30), "the end of all its processes");
        Assert.True(Directory.Exists(system.DataFolder), "the data folder of a killed AppHost must still exist");
        using var gateway = other.CreateClient();
        var shop = new Shop(gateway);
        var (_, order) = await shop.PlaceAsync(await shop.CustomerAsync(), (await shop.ProductAsync(stock: 1), 1));
        Assert.Equal("confirmed", (string?)order["status"]);

        // The next start deletes what a killed AppHost has left, and only that.
        await using var next = AppHostProcess.Begin(other);
        await Eventually.TrueAsync(() => next.HasExited || !Directory.Exists(system.DataFolder), Timeout, "the sweep");
        Assert.False(next.HasExited, next.Output);
        Assert.True(Directory.Exists(other.DataFolder));
    }

    [Fact]
    public async Task Restarts_a_service_that_was_killed_or_has_exited_and_reports_it()
    {
        await using var system = await AppHostProcess.StartAsync();
        using var gateway = system.CreateClient();
        var shop = new Shop(gateway);
        var (customer, product) = (await shop.CustomerAsync(), await shop.ProductAsync(stock: 1));

        var orders = system.ProcessOf("OrderInventory.Orders");
        await Signal.SendAsync("KILL", orders);
        await Eventually.TrueAsync(() => system.Output.Contains("orders is restarted (1 of at most 3 times a minute)", StringComparison.Ordinal), Timeout, "the line about the restart");
        // On SIGTERM the service ends normally, with exit code 0: it must be restarted all the same.
        await Signal.SendAsync("TERM", system.ProcessOf("OrderInventory.Customers"));
        await Eventually.TrueAsync(() => system.Output.Contains("customers is restarted (1 of at most 3 times a minute)", StringComparison.Ordinal), Timeout, "the line about customers");
        await Eventually.TrueAsync(async () => (await gateway.GetAsync(new Uri("/health", UriKind.Relative))).IsSuccessStatusCode, Timeout, "every service ready again");
        Assert.Contains("orders crashed or was killed", system.Output, StringComparison.Ordinal);
        Assert.Contains("customers has ended", system.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("rebuilder", system.Output, StringComparison.Ordinal);
        var (_, order) = await shop.PlaceAsync(customer, (product, 1));
        Assert.Equal("confirmed", (string?)order["status"]);
    }

    [Fact]
    public async Task Ends_with_an_error_that_names_the_server_which_cannot_start()
    {
        var java = Directory.CreateTempSubdirectory("java-test-");
        Directory.CreateDirectory(Path.Combine(java.FullName, "bin"));
        Directory.CreateDirectory(Path.Combine(java.FullName, "libs"));
        await File.WriteAllTextAsync(Path.Combine(java.FullName, "libs", "kafka_2.13.jar"), "");
        var program = Path.Combine(java.FullName, "bin", "java");
        // Formats the storage, then fails, as on a machine without memory or with a broken Java.
        await File.WriteAllTextAsync(program, "#!/bin/sh\ncase \"$*\" in *StorageTool*) exit 0;; esac\necho 'no memory for this' >&2\nexit 3\n");
        using (var chmod = Process.Start("chmod", ["+x", program]))
        {
            await chmod.WaitForExitAsync();
        }

        try
        {
            var (exitCode, output) = await AppHostProcess.RunToEndAsync(
                Ports.Free(), ("JAVA_HOME", java.FullName), ("KAFKA_HOME", java.FullName), ("Infrastructure__Kafka", "real"));

            Assert.Equal(1, exitCode);
            Assert.Contains("kafka crashed or was killed (exit code 3)", output, StringComparison.Ordinal);
            Assert.Contains("no memory for this", output, StringComparison.Ordinal);
            Assert.Contains("The system cannot start without kafka", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
        }
        finally
        {
            java.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Reports_that_the_gateways_port_is_taken_before_anything_starts()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (exitCode, output) = await AppHostProcess.RunToEndAsync(port);

        Assert.Equal(1, exitCode);
        Assert.Contains($"Port {port.ToString(CultureInfo.InvariantCulture)} of gateway is in use by another process", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_that_a_service_has_the_gateways_port_before_anything_starts()
    {
        var port = Ports.Free();

        var (exitCode, output) = await AppHostProcess.RunToEndAsync(port, ("Ports__orders", port.ToString(CultureInfo.InvariantCulture)));

        Assert.Equal(1, exitCode);
        Assert.Equal($"Port {port.ToString(CultureInfo.InvariantCulture)} is assigned to both orders and gateway: choose another one with GATEWAY_PORT.", output.Trim());
    }

    [Theory]
    [InlineData("Restart", "maybe", "Restart must be true or false, not 'maybe'.")]
    [InlineData("StartTimeoutMinutes", "soon", "StartTimeoutMinutes must be a number, not 'soon'.")]
    [InlineData("Ports__orders", "70000", "Ports:orders must be a port from 1 to 65535, not '70000'.")]
    [InlineData("Database__Migrations", "Only", "Database:Migrations must be AtStart, or Never with Infrastructure:Mode=external, not 'Only'.")]
    [InlineData("Database__Migrations", "Never", "Database:Migrations must be AtStart, or Never with Infrastructure:Mode=external, not 'Never'.")]
    [InlineData("Ports__inventory", "0", "Ports:inventory must be a port from 1 to 65535, not '0'.")]
    public async Task Reports_an_invalid_setting_before_anything_starts(string setting, string value, string said)
    {
        var (exitCode, output) = await AppHostProcess.RunToEndAsync(Ports.Free(), (setting, value));

        Assert.Equal(1, exitCode);
        Assert.Equal(said, output.Trim());
    }

    [Theory]
    [InlineData("Ports__ordres", "7000", "Ports:ordres: there is no service 'ordres'.")]
    [InlineData("Environment__stock__TZ", "UTC", "Environment:stock: there is no service 'stock'.")]
    public async Task Reports_an_unknown_service_before_anything_starts(string setting, string value, string said)
    {
        var (exitCode, output) = await AppHostProcess.RunToEndAsync(Ports.Free(), (setting, value));

        Assert.Equal(1, exitCode);
        Assert.Contains($"{said} The services are console, customers, gateway, identity, inventory, notifications, orders, products.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("is ready", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starts_again_on_the_data_it_left()
    {
        var data = Path.Combine(Path.GetTempPath(), $"order-inventory-test-{Guid.CreateVersion7():N}");
        var run = $"{data}.run";
        var endpoints = Path.Combine(run, "endpoints.json");
        string[] args = ["--Infrastructure:Mode=embedded", $"--Infrastructure:DataPath={data}", $"--RunDirectory={run}", "--Infrastructure:Mail=pickup"];
        try
        {
            string id;
            await using (var first = await AppHostRunner.StartAsync(args))
            {
                await first.WaitUntilHealthyAsync("gateway");
                using var gateway = await first.CreateClientAsync();
                using var response = await gateway.PostAsJsonAsync(
                    "/api/products", new { sku = "KEPT-1", name = "Kept", category = "tests", price = new { amount = 1.00m, currency = "EUR" } });
                Assert.Equal(HttpStatusCode.Created, response.StatusCode);
                id = (await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!.GetValue<string>();
                // The folders hold customers' data and passwords, and everyone may enter their parent; the copy of the binaries holds nothing secret.
                var folders = new DirectoryInfo(data).GetDirectories().Where(folder => !folder.Name.Contains("binaries", StringComparison.Ordinal)).ToList();
                Assert.Contains(folders, folder => folder.Name == "mail");
                Assert.All(folders, folder => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, folder.UnixFileMode));
            }

            NpgsqlConnection.ClearAllPools();
            await using var second = await AppHostRunner.StartAsync(args);
            await second.WaitUntilHealthyAsync("gateway");
            using var again = await second.CreateClientAsync();
            var product = await again.GetFromJsonAsync<JsonNode>($"/api/products/{id}");
            Assert.Equal("KEPT-1", product!["sku"]!.GetValue<string>());
            // The kept data includes the administrator's password, which bench/limit.sh needs.
            await Eventually.TrueAsync(() => File.Exists(endpoints), Timeout, "endpoints.json");
            var (exitCode, output) = await ProgramRun.RunAsync(
                Path.Combine(Repository.Root, "bench/limit.sh"), ["--data", data, "--endpoints", endpoints, "--clients", "1", "--seconds", "1"]);
            Assert.True(exitCode == 0, output);
            Assert.Contains("pgbench current, orders/s", output, StringComparison.Ordinal);
        }
        finally
        {
            await Eventually.TrueAsync(() => AppHostProcess.DeleteFolder(data) && AppHostProcess.DeleteFolder(run), Timeout, "the folder's release");
        }
    }
}
