using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using OrderInventory.Orders.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>Databases left by an older version.</summary>
[Collection(OrdersCollection.Name)]
public sealed class MigrationTests(InfrastructureFixture infrastructure)
{
    private static readonly Guid s_erased = Guid.CreateVersion7();
    private static readonly Guid s_active = Guid.CreateVersion7();

    [Theory]
    [InlineData("Initial")]
    [InlineData("ShipToErased")]
    [InlineData("WordsOfErased")]
    [InlineData("Ensure")]
    public async Task Orders_of_every_earlier_version_can_be_read_and_continue(string version)
    {
        var connection = await infrastructure.CreateDatabaseAsync("orders");
        var (open, final) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using (var database = Open(connection))
        {
            await database.GetService<IMigrator>().MigrateAsync(version);
            await InsertAsync(database, open, s_active, "confirmed", 2);
            await InsertAsync(database, final, s_active, "delivered", 4);
        }

        await using var app = await OrdersApp.StartAsync(infrastructure, connection);
        using var http = app.CreateClient();

        var order = await http.GetFromJsonAsync<JsonNode>($"/api/orders/{open}");
        Assert.Equal(("confirmed", 2L, 36.00m, 2), ((string?)order!["status"], (long)order["version"]!, (decimal)order["total"]!["amount"]!, order["lines"]!.AsArray().Count));
        Assert.Equal("delivered", (string?)(await http.GetFromJsonAsync<JsonNode>($"/api/orders/{final}"))!["status"]);
        Assert.Equal(2, (await http.GetFromJsonAsync<JsonNode>($"/api/orders?customerId={s_active}"))!["items"]!.AsArray().Count);
        using var shipped = await http.PostAsJsonAsync($"/api/orders/{open}/ship", new { carrier = "DHL" });
        Assert.Equal(HttpStatusCode.OK, shipped.StatusCode);
        Assert.Equal(("shipped", 3L), (await StatusAsync(http, open)));
    }

    [Fact]
    public async Task Free_text_is_removed_from_final_orders_of_erased_customers_and_nothing_else()
    {
        var connection = await infrastructure.CreateDatabaseAsync("orders");
        var (gone, waits, kept) = (new Guid("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0001"), new Guid("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0002"), new Guid("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003"));
        await using var database = Open(connection);
        await database.GetService<IMigrator>().MigrateAsync("ShipToErased");
        await database.Database.ExecuteSqlAsync($"INSERT INTO customer_copies (customer_id, version, status) VALUES ({s_erased}, 2, 'erased'), ({s_active}, 1, 'active')");
        await InsertAsync(database, gone, s_erased, "cancelled", 3);
        await InsertAsync(database, waits, s_erased, "shipped", 3);
        await InsertAsync(database, kept, s_active, "cancelled", 3);
        var payload = Encoding.UTF8.GetBytes("""{"status": "cancelPending", "reason": "Maria has moved"}""");
        await database.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
             VALUES (0, 'k', 1, gen_random_uuid(), 'order.updated', '[]', {payload}, now()), (0, 'k', 2, gen_random_uuid(), 'order.created', '[]', {payload}, now());
             INSERT INTO dead_letters (id, topic, key, reason, attempts, created_at, headers, payload)
             VALUES (gen_random_uuid(), 'order.updated', 'k', 'why', 1, now(), '[]', {payload});
             """);

        await database.GetService<IMigrator>().MigrateAsync();

        Assert.Equal(
            [(gone, "||", "{}"), (waits, "they have moved|DHL|JJD1", null), (kept, "they have moved|DHL|JJD1", null)],
            (await database.Database.SqlQuery<string>(
                $"""
                 SELECT o.id || ' ' || coalesce(o.reason, '') || '|' || coalesce(carrier, '') || '|' || coalesce(tracking_number, '') || ' ' || h.data::text AS "Value"
                 FROM orders o JOIN order_history h ON h.order_id = o.id ORDER BY o.id
                 """).ToListAsync()).Select(row => (Guid.Parse(row[..36]), row[37..row.LastIndexOf(" {", StringComparison.Ordinal)], row.EndsWith(" {}", StringComparison.Ordinal) ? "{}" : null)));
        Assert.Equal(
            ["Maria has moved", "null", "null"],
            await database.Database.SqlQuery<string>(
                $"""
                 SELECT coalesce(convert_from(payload, 'UTF8')::jsonb ->> 'reason', 'null') AS "Value" FROM outbox_messages
                 UNION ALL SELECT coalesce(convert_from(payload, 'UTF8')::jsonb ->> 'reason', 'null') FROM dead_letters
                 ORDER BY 1
                 """).ToListAsync());
    }

    // A statement that waits for a lock blocks everybody else who needs the table. Fails when the migration waits as long as the report runs.
    [Fact]
    public async Task A_migration_that_meets_a_long_report_does_not_block_the_previous_version()
    {
        var connection = await infrastructure.CreateDatabaseAsync("orders");
        await using (var database = Open(connection))
        {
            await database.GetService<IMigrator>().MigrateAsync("Ensure");
        }

        await using var server = NpgsqlDataSource.Create(connection);
        Task<OrdersApp> start;
        await using (var report = await server.OpenConnectionAsync())
        {
            await using var transaction = await report.BeginTransactionAsync();
            await using (var read = new NpgsqlCommand("SELECT count(*) FROM order_lines", report))
            {
                await read.ExecuteScalarAsync();
            }

            start = StartAsync(connection);
            await Eventually.TrueAsync(
                async () => await server.CreateCommand("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'order_lines'::regclass AND NOT granted").ExecuteScalarAsync() is true,
                TimeSpan.FromSeconds(60), "the migration waits for the table");
            await using var database = Open(connection);
            database.Database.SetCommandTimeout(TimeSpan.FromSeconds(20));
            await InsertAsync(database, Guid.CreateVersion7(), s_active, "confirmed", 2);
            Assert.False(start.IsCompleted);
            await transaction.CommitAsync();
        }

        await using var app = await start;
        Assert.Equal("", await MissingAsync(connection));
    }

    // Outside a transaction, an index can be left incomplete, and two replicas can build it at the same time.
    [Fact]
    public async Task Replicas_that_start_at_the_same_time_complete_a_half_built_index()
    {
        var connection = await infrastructure.CreateDatabaseAsync("orders");
        await using var server = NpgsqlDataSource.Create(connection);
        await using (var database = Open(connection))
        {
            await database.GetService<IMigrator>().MigrateAsync("LinesWithoutForeignKey");
            await InsertAsync(database, Guid.CreateVersion7(), s_active, "confirmed", 2);
            await InsertAsync(database, Guid.CreateVersion7(), s_active, "confirmed", 2);
        }

        await using (var half = server.CreateCommand("CREATE UNIQUE INDEX CONCURRENTLY ix_orders_status_id ON orders (status)"))
        {
            Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(half.ExecuteNonQueryAsync)).SqlState);
        }

        Assert.NotEqual("", await MissingAsync(connection));

        var apps = await Task.WhenAll(StartAsync(connection), StartAsync(connection));
        Assert.Equal("", await MissingAsync(connection));
        foreach (var app in apps)
        {
            await app.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_service_that_may_not_migrate_waits_until_another_has_migrated()
    {
        var owned = await infrastructure.CreateDatabaseAsync("orders");
        await using var server = NpgsqlDataSource.Create(owned);
        var role = "orders_" + Guid.CreateVersion7().ToString("N");
        await using (var make = server.CreateCommand(
            $"""
             CREATE ROLE {role} LOGIN PASSWORD 'orders';
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
             """))
        {
            await make.ExecuteNonQueryAsync();
        }

        var limited = new NpgsqlConnectionStringBuilder(owned) { Username = role, Password = "orders" }.ConnectionString;
        var start = StartAsync(limited, ("Database:Migrations", "Never"));
        await Eventually.TrueAsync(
            async () => await server.CreateCommand($"SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = '{role}'").ExecuteScalarAsync() is true,
            TimeSpan.FromSeconds(60), "the service has checked its database");
        Assert.False(start.IsCompleted);

        // As a step of a deployment; it needs only the database.
        var arguments = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, "--Database:Migrations=Only", $"--ConnectionStrings:ordersdb={owned}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var migration = Process.Start(arguments)!;
        var output = Task.WhenAll(migration.StandardOutput.ReadToEndAsync(), migration.StandardError.ReadToEndAsync());
        await migration.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(migration.ExitCode == 0, string.Concat(await output));
        Assert.Contains("The database has all migrations", string.Concat(await output), StringComparison.Ordinal);

        await using var app = await start;
        Assert.Equal("", await MissingAsync(owned));
        var (_, product) = await app.ConfirmedAsync();
        Assert.NotEqual(Guid.Empty, product);
    }

    [Fact]
    public async Task The_newest_migration_can_be_reverted_and_applied_again()
    {
        await using var database = Open(await infrastructure.CreateDatabaseAsync("orders"));
        var migrator = database.GetService<IMigrator>();
        await migrator.MigrateAsync();
        var order = Guid.CreateVersion7();
        await InsertAsync(database, order, s_active, "confirmed", 2);

        await migrator.MigrateAsync("ShipToErased");
        await Assert.ThrowsAsync<PostgresException>(() => database.Database.ExecuteSqlAsync($"SELECT ensure(true, 'OI001', 'there')"));
        await migrator.MigrateAsync();

        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.Database.ExecuteSqlAsync($"SELECT ensure(false, 'OI001', 'not so')"));
        Assert.Equal("OI001", refused.SqlState);
        Assert.Equal(2, await database.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM order_lines WHERE order_id = {order}").SingleAsync());
    }

    private static OrdersDb Open(string connection) => new(
        new DbContextOptionsBuilder<OrdersDb>().UseNpgsql(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString).UseSnakeCaseNamingConvention().Options);

    /// <summary>Starts it on another thread: a test's host starts on the caller's thread.</summary>
    private Task<OrdersApp> StartAsync(string connection, params (string Key, string Value)[] settings) =>
        Task.Run(() => OrdersApp.StartAsync(infrastructure, connection, settings));

    /// <summary>Migrations that were not applied, and indexes that are unused because they are invalid.</summary>
    private static async Task<string> MissingAsync(string connection)
    {
        await using var database = Open(connection);
        var halfMade = database.Database.SqlQuery<string>($"SELECT indexrelid::regclass::text AS \"Value\" FROM pg_index WHERE NOT indisvalid");
        return string.Join(' ', [.. await database.Database.GetPendingMigrationsAsync(), .. await halfMade.ToListAsync()]);
    }

    /// <summary>An order of two lines with all its free text, written to columns that every version has.</summary>
    private static Task<int> InsertAsync(OrdersDb database, Guid order, Guid customer, string status, long version)
    {
        const string words = """{"reason": "they have moved", "carrier": "DHL", "trackingNumber": "JJD1"}""";
        return database.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO orders (id, customer_id, status, version, currency, total, reason, carrier, tracking_number, placed_at, updated_at)
             VALUES ({order}, {customer}, {status}, {version}, 'EUR', 36.00, 'they have moved', 'DHL', 'JJD1', now(), now());
             INSERT INTO order_lines (order_id, line_no, product_id, sku, name, quantity, unit_price)
             VALUES ({order}, 1, gen_random_uuid(), 'TEA-1', 'Chai', 1, 18.00), ({order}, 2, gen_random_uuid(), 'TEA-2', 'Chang', 1, 18.00);
             INSERT INTO order_history (order_id, event_id, version, at, service, what, data)
             VALUES ({order}, gen_random_uuid(), {version}, now(), 'orders', 'changed', {words}::jsonb);
             """);
    }

    private static async Task<(string?, long)> StatusAsync(HttpClient http, Guid id)
    {
        var order = await http.GetFromJsonAsync<JsonNode>($"/api/orders/{id}");
        return ((string?)order!["status"], (long)order["version"]!);
    }
}
