using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>What fault tests rely on: each server can be stopped, killed and started again, and keeps its address.</summary>
public sealed class InfrastructureFaultTests(InfrastructureFixture infrastructure) : IClassFixture<InfrastructureFixture>
{
    [Fact]
    public async Task Postgres_is_back_with_its_rows_after_a_kill()
    {
        var address = await infrastructure.CreateDatabaseAsync("faults");
        await ExecuteAsync(address, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");

        await infrastructure.Runner.KillAsync("postgres");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(address, "SELECT 1"));
        await infrastructure.Runner.StartAsync("postgres");

        Assert.Equal(1L, await ExecuteAsync(address, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task Redis_is_back_on_its_address_after_a_stop()
    {
        await infrastructure.Runner.StopAsync("redis");
        await infrastructure.Runner.StartAsync("redis");
        Assert.Equal(infrastructure.Redis, await infrastructure.Runner.ConnectionStringAsync("redis"));
    }

    [Fact]
    public async Task Kafka_is_back_on_its_address_after_a_kill()
    {
        if (!infrastructure.KafkaIsReal)
        {
            return;
        }

        await infrastructure.Runner.KillAsync("kafka");
        await infrastructure.Runner.StartAsync("kafka");
        Assert.Equal(infrastructure.Kafka, await infrastructure.Runner.ConnectionStringAsync("kafka"));
    }

    private static async Task<object?> ExecuteAsync(string address, string sql)
    {
        await using var connection = new NpgsqlConnection(address + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
