using Confluent.Kafka;
using Npgsql;

namespace OrderInventory.Notifications.Tests.Support;

public sealed class Infrastructure : IAsyncLifetime
{
    private IProducer<string, byte[]>? _broker;

    public string Postgres { get; private set; } = "";
    public string Kafka { get; private set; } = "";

    public Task InitializeAsync()
    {
        Postgres = Environment.GetEnvironmentVariable("TEST_POSTGRES") ?? "Host=127.0.0.1;Port=55471;Username=postgres";
        Kafka = Environment.GetEnvironmentVariable("TEST_KAFKA") ?? Mock();
        return Task.CompletedTask;
    }

    public async Task<string> CreateDatabaseAsync()
    {
        var name = "n_" + Guid.CreateVersion7().ToString("N");
        await using var admin = NpgsqlDataSource.Create(Postgres + ";Database=postgres");
        await using var create = admin.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync();
        return $"{Postgres};Database={name}";
    }

    public Task DisposeAsync()
    {
        _broker?.Dispose();
        return Task.CompletedTask;
    }

    private string Mock()
    {
        var config = new ProducerConfig { BootstrapServers = "mock" };
        config.Set("test.mock.num.brokers", "1");
        _broker = new ProducerBuilder<string, byte[]>(config).Build();
        using var admin = new DependentAdminClientBuilder(_broker.Handle).Build();
        var broker = admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers[0];
        return $"{broker.Host}:{broker.Port}";
    }
}

[CollectionDefinition(nameof(InfrastructureCollection), DisableParallelization = true)]
public sealed class InfrastructureCollection : ICollectionFixture<Infrastructure>;
