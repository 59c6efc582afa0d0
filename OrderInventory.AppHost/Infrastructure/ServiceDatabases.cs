using Npgsql;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>
/// A service's database on a server that the AppHost starts. The service logs in as a role of the database's name, which owns it and can
/// enter no other.
/// </summary>
/// <param name="name">The connection's name.</param>
/// <param name="databaseName">Of the database and of its role.</param>
/// <param name="server">Where it is; its own connection string is the administrator's.</param>
/// <param name="address"><c>Host=…;Port=…</c> of the server.</param>
/// <param name="password">The role's.</param>
internal sealed class ServiceDatabase(
    string name, string databaseName, IResourceWithConnectionString server, ReferenceExpression address, ParameterResource password)
    : Resource(name), IResourceWithConnectionString, IResourceWithParent<IResourceWithConnectionString>
{
    public string DatabaseName { get; } = databaseName;

    public ParameterResource Password { get; } = password;

    public IResourceWithConnectionString Parent { get; } = server;

    public ReferenceExpression ConnectionStringExpression { get; } =
        ReferenceExpression.Create($"{address};Username={databaseName};Password={password};Database={databaseName}");
}

/// <summary>Makes the databases of the services and their roles, once the server answers.</summary>
internal sealed class ServiceDatabases(IDistributedApplicationBuilder builder)
{
    private readonly List<ServiceDatabase> _databases = [];

    public IResourceBuilder<ServiceDatabase> Add(string name, string databaseName, IResourceWithConnectionString server, ReferenceExpression address)
    {
        // New at each start, also for a database that was kept: its role gets the new one.
        var password = builder.AddParameter($"{databaseName}-db-password", Secrets.New(), secret: true);
        var database = new ServiceDatabase(name, databaseName, server, address, password.Resource);
        _databases.Add(database);
        return builder.AddResource(database);
    }

    public async Task CreateAsync(string administrator, ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        foreach (var database in _databases)
        {
            await CreateAsync(administrator, database.DatabaseName, await database.Password.GetValueAsync(cancellationToken) ?? "", cancellationToken);
            await notifications.PublishUpdateAsync(database, before => before with { State = KnownResourceStates.Running });
        }
    }

    /// <summary>A database and the role that owns it, of one name. What is there already is put right, as an earlier version has left it too.</summary>
    /// <param name="administrator">Connection string of a superuser.</param>
    /// <param name="name">Of both.</param>
    /// <param name="password">The role's from now on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task CreateAsync(string administrator, string name, string password, CancellationToken cancellationToken)
    {
        await using var server = await ConnectAsync(administrator, "postgres", cancellationToken);
        await ExecuteFormattedAsync(
            server,
            """
            SELECT format(CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN 'ALTER' ELSE 'CREATE' END
                || ' ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L', $1, $2)
            """,
            cancellationToken, name, password);
        await ExecuteFormattedAsync(
            server, "SELECT format(CASE WHEN EXISTS (SELECT FROM pg_database WHERE datname = $1) THEN 'ALTER DATABASE %I OWNER TO %I' ELSE 'CREATE DATABASE %I OWNER %I' END, $1, $1)",
            cancellationToken, name);
        // PUBLIC may connect to a new database, and to the server's own.
        await ExecuteFormattedAsync(server, "SELECT format('REVOKE ALL ON DATABASE %I, postgres, template1 FROM PUBLIC', $1)", cancellationToken, name);

        await using var inside = await ConnectAsync(administrator, name, cancellationToken);
        await ExecuteFormattedAsync(
            inside,
            """
            SELECT coalesce(string_agg(statement, '; '), '') FROM (
                SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, $1) AS statement
                FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner <> $1::regrole
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                UNION ALL
                SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, $1)
                FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> $1::regrole
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
            ) AS kept
            """,
            cancellationToken, name);
    }

    /// <summary>Names and passwords cannot be parameters of such statements, so PostgreSQL itself quotes them.</summary>
    private static async Task ExecuteFormattedAsync(NpgsqlConnection connection, string format, CancellationToken cancellationToken, params string[] values)
    {
        await using var statement = new NpgsqlCommand(format, connection);
        foreach (var value in values)
        {
            statement.Parameters.Add(new() { Value = value });
        }

        if (await statement.ExecuteScalarAsync(cancellationToken) is string { Length: > 0 } text)
        {
            await using var command = new NpgsqlCommand(text, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task<NpgsqlConnection> ConnectAsync(string administrator, string database, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(administrator) { Database = database, Pooling = false, Timeout = 5 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
