using Npgsql;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>An attacker who takes over a service can do in PostgreSQL what the service can do, and nothing else.</summary>
[Collection(SystemCollection.Name)]
public sealed class DatabaseRolesTests(SystemFixture system)
{
    private static readonly string[] s_services = ["orders", "inventory", "products", "customers", "notifications"];

    [Fact]
    public async Task Each_service_owns_its_database_and_cannot_enter_any_other()
    {
        foreach (var service in s_services)
        {
            var own = new NpgsqlConnectionStringBuilder(await system.Runner.ConnectionStringAsync($"{service}db")) { Pooling = false };
            Assert.Equal((service, service), (own.Username, own.Database));
            Assert.Equal(
                "false false false false",
                await ScalarAsync(own, "SELECT concat_ws(' ', rolsuper, rolcreatedb, rolcreaterole, rolreplication) FROM (SELECT rolsuper::text, rolcreatedb::text, rolcreaterole::text, rolreplication::text FROM pg_roles WHERE rolname = current_user) r"));
            Assert.Equal("0", await ScalarAsync(own, "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public' AND tableowner <> current_user"));

            foreach (var other in s_services.Except([service]).Append("postgres").Append("template1"))
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(new(own.ConnectionString) { Database = other }, "SELECT 'in'"));
                Assert.Equal((other, PostgresErrorCodes.InsufficientPrivilege), (other, refused.SqlState));
            }

            foreach (var statement in new[] { "CREATE ROLE intruder SUPERUSER", "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('PG_VERSION')", "ALTER SYSTEM SET log_statement = 'all'", "SET ROLE postgres" })
            {
                await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(own, statement));
            }
        }

        var passwords = new List<string?>();
        foreach (var service in s_services)
        {
            passwords.Add(new NpgsqlConnectionStringBuilder(await system.Runner.ConnectionStringAsync($"{service}db")).Password);
        }

        Assert.Equal(s_services.Length, passwords.Distinct().Count());
    }

    [Fact]
    public async Task A_database_of_an_earlier_version_becomes_owned_by_its_service()
    {
        var administrator = new NpgsqlConnectionStringBuilder(await system.Runner.ConnectionStringAsync("postgres")) { Database = "postgres", Pooling = false };
        var name = $"kept_{Guid.CreateVersion7():N}";
        await ScalarAsync(administrator, $"CREATE DATABASE {name}");
        await ScalarAsync(
            new(administrator.ConnectionString) { Database = name },
            """
            CREATE EXTENSION pg_trgm;
            CREATE TABLE things (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
            INSERT INTO things (name) VALUES ('kept');
            CREATE FUNCTION ensure(ok boolean) RETURNS boolean LANGUAGE sql AS 'SELECT ok';
            """);

        foreach (var password in new[] { "first", "it's the \"second\"" })
        {
            await ServiceDatabases.CreateAsync(administrator.ConnectionString, name, password, CancellationToken.None);
            var own = new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Username = name, Password = password, Database = name };
            Assert.Equal("kept", await ScalarAsync(own, "SELECT name FROM things"));
            await ScalarAsync(own, "ALTER TABLE things ADD COLUMN IF NOT EXISTS more text; CREATE OR REPLACE FUNCTION ensure(ok boolean) RETURNS boolean LANGUAGE sql AS 'SELECT ok'; CREATE INDEX ON things USING gin (name gin_trgm_ops); CREATE TABLE IF NOT EXISTS others (id integer)");
        }
    }

    // Fails when the deployment's script makes a role with more rights than the AppHost's roles, or cannot take a password with quotes.
    [ProgramFact("psql", "postgresql-client")]
    public async Task The_deployment_script_creates_roles_that_can_enter_only_their_own_database()
    {
        var administrator = new NpgsqlConnectionStringBuilder(await system.Runner.ConnectionStringAsync("postgres"));
        var letters = string.Concat(Guid.CreateVersion7().ToString("N")[16..].Select(c => (char)('A' + (c % 26))));
        var (names, password) = (new[] { $"ONE{letters}", $"TWO{letters}" }, "it's the \"first\" $1");
        var (exitCode, output) = await ProgramRun.RunAsync(
            "sh", [Path.Combine(Repository.Root, "deploy/postgres/roles.sh")], environment:
            [
                ("POSTGRES_USER", administrator.Username!), ("PGHOST", administrator.Host!), ("PGPORT", $"{administrator.Port}"), ("PGPASSWORD", administrator.Password!),
                .. names.Select(name => ($"{name}_DB_PASSWORD", password)),
            ]);
        Assert.True(exitCode == 0, output);

        foreach (var name in names.Select(name => name.ToLowerInvariant()))
        {
            var own = new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Username = name, Password = password, Database = name, Pooling = false };
            Assert.Equal("1", await ScalarAsync(own, "CREATE TABLE things (id integer); INSERT INTO things VALUES (1); SELECT count(*)::text FROM things"));
            Assert.Equal("false", await ScalarAsync(own, "SELECT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)::text FROM pg_roles WHERE rolname = current_user"));
            foreach (var other in names.Select(known => known.ToLowerInvariant()).Except([name]).Concat(["postgres", "template1", "orders"]))
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(new(own.ConnectionString) { Database = other }, "SELECT 'in'"));
                Assert.Equal((other, PostgresErrorCodes.InsufficientPrivilege), (other, refused.SqlState));
            }
        }
    }

    private static async Task<string?> ScalarAsync(NpgsqlConnectionStringBuilder where, string sql)
    {
        await using var connection = new NpgsqlConnection(where.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (string?)await command.ExecuteScalarAsync();
    }
}
