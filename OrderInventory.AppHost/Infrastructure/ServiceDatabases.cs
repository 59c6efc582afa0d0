using Npgsql;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>
/// A service's database on a server that the AppHost starts. The service logs in with a role of the same name, which owns the database and cannot
/// connect to any other.
/// </summary>
/// <param name="name">The connection's name.</param>
/// <param name="databaseName">The name of the database and of its role.</param>
/// <param name="server">The database's server, whose own connection string is the administrator's.</param>
/// <param name="address"><c>Host=…;Port=…</c> of the server.</param>
/// <param name="password">The role's password.</param>
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

/// <summary>Creates the databases of the services and their roles once the server answers.</summary>
internal sealed class ServiceDatabases(IDistributedApplicationBuilder builder)
{
    private readonly List<ServiceDatabase> _databases = [];

    public IResourceBuilder<ServiceDatabase> Add(string name, string databaseName, IResourceWithConnectionString server, ReferenceExpression address)
    {
        // New at each start; the role of a kept database gets the new password too.
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

    /// <summary>
    /// Creates a database and the role of the same name that owns it. Corrects existing ones, including those of an earlier version.
    /// </summary>
    /// <param name="administrator">Connection string of a superuser.</param>
    /// <param name="name">The name of both.</param>
    /// <param name="password">The role's new password.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
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
        // By default PUBLIC may connect to a new database and to the server's own databases.
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
