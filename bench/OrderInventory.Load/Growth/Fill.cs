using System.Globalization;
using Npgsql;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load.Growth;

/// <summary>
/// Creates orders by SQL (bench/growth/*.sql), as if they had gone through all services: for so many, the HTTP API would take hours.
/// </summary>
internal sealed class Fill(Endpoints endpoints, Catalogue catalogue)
{
    private static readonly string[] s_databases = ["orders", "inventory", "notifications"];

    /// <summary>Replaces all existing orders by this many. No order or event may be in flight meanwhile.</summary>
    public async Task FillAsync(int orders, CancellationToken cancellationToken)
    {
        // The same for all three databases. It is an hour ago, so that sweeps do not touch the orders.
        var newest = TimeProvider.System.GetUtcNow().AddHours(-1);
        foreach (var name in s_databases)
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(endpoints.Database(name)) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
            try
            {
                await connection.OpenAsync(cancellationToken);
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await using (var settings = new NpgsqlCommand(
                    """
                    SELECT set_config('growth.orders', $1, false), set_config('growth.newest', $2, false),
                        set_config('growth.products', $3, false), set_config('growth.customers', $4, false)
                    """,
                    connection))
                {
                    settings.Parameters.Add(new() { Value = orders.ToString(CultureInfo.InvariantCulture) });
                    settings.Parameters.Add(new() { Value = newest.ToString("O", CultureInfo.InvariantCulture) });
                    settings.Parameters.Add(new() { Value = string.Join(',', catalogue.Products) });
                    settings.Parameters.Add(new() { Value = string.Join(',', catalogue.Customers) });
                    await settings.ExecuteNonQueryAsync(cancellationToken);
                }

                await RunAsync(connection, Read("made"), cancellationToken);
                await RunAsync(connection, Read(name), cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                await RunAsync(connection, "VACUUM ANALYZE", cancellationToken);
                await CheckpointAsync(connection, cancellationToken);
            }
            catch (NpgsqlException problem)
            {
                throw new LoadException($"The database of {name} could not be filled: {problem.Message}");
            }
        }
    }

    /// <summary>
    /// Makes a checkpoint, so that none runs during a measurement. Where the services' role may not request one, PostgreSQL decides.
    /// </summary>
    private static async Task CheckpointAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(connection, "CHECKPOINT", cancellationToken);
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            Console.Error.WriteLine($"No checkpoint was made: {problem.MessageText}");
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Read(string name)
    {
        using var stream = typeof(Fill).Assembly.GetManifestResourceStream($"growth.{name}.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
