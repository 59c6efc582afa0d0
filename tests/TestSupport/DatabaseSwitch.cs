using Npgsql;

namespace OrderInventory.TestSupport;

/// <summary>Makes one database of a server unavailable, as if the server were down, and brings it back.</summary>
public static class DatabaseSwitch
{
    public static Task OffAsync(string connectionString) => RunAsync(connectionString, database =>
        $"""
         ALTER DATABASE "{database}" ALLOW_CONNECTIONS false;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}';
         """);

    public static Task OnAsync(string connectionString) => RunAsync(connectionString, database => $"ALTER DATABASE \"{database}\" ALLOW_CONNECTIONS true");

    private static async Task RunAsync(string connectionString, Func<string, string> sql)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var database = settings.Database!;
        settings.Database = "postgres";
        await using var server = NpgsqlDataSource.Create(settings.ConnectionString);
        await using var command = server.CreateCommand(sql(database));
        await command.ExecuteNonQueryAsync();
    }
}
