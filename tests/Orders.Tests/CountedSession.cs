using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Tests;

/// <summary>One session that plans as the service's connections do, and counts the rows that its statements have read.</summary>
internal sealed class CountedSession : IAsyncDisposable
{
    public CountedSession(string database)
    {
        var connection = ServiceDatabaseExtensions.ConnectionString(database);
        connection.MaxPoolSize = 1;
        Database = NpgsqlDataSource.Create(connection);
    }

    public NpgsqlDataSource Database { get; }

    /// <summary>Rows of the tables that were read or found by an index, in all sessions whose counts have been flushed.</summary>
    public async Task<long> RowsReadAsync(params string[] tables)
    {
        await using var flush = Database.CreateCommand("SELECT pg_stat_force_next_flush()");
        await flush.ExecuteNonQueryAsync();
        await using var count = Database.CreateCommand("SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_user_tables WHERE relname = ANY ($1)");
        count.Parameters.Add(new() { Value = tables });
        return (long)(await count.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
