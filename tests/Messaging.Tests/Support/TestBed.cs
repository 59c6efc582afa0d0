using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>The environment of one test: its own schema, topics and consumer group, and the replicas that it starts.</summary>
internal sealed class TestBed : IAsyncDisposable
{
    /// <summary>The number of partitions on a real Kafka; librdkafka's mock makes four.</summary>
    public const string Partitions = "2";

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // One database for all: making one takes longer than most of these tests, and recovery from a crash with fifty of them takes a minute.
    private static readonly SemaphoreSlim s_one = new(1, 1);
    private static string? s_database;

    // Without a real Kafka: the AppHost's mock broker lets the first consumer of each group wait three seconds for others, which cannot be
    // configured. This broker is the same, without the wait.
    private static readonly Lazy<FaultyBroker> s_mock = new(() => new());

    private readonly List<TestService> _services = [];

    private TestBed(string connectionString, string broker, bool makesTopics)
    {
        var name = Guid.CreateVersion7().ToString("N");
        ConnectionString = connectionString;
        Broker = broker;
        MakesTopics = makesTopics;
        Group = $"group-{name}";
        Changed = new($"changed-{name}", ThingChanged.Type, "/things", ThingsJson.Default.ThingChanged);
        Noted = new($"noted-{name}", ThingNoted.Type, "/things", ThingsJson.Default.ThingNoted);
        Database = NpgsqlDataSource.Create(connectionString);
        Kafka = new(broker);
    }

    public string ConnectionString { get; }
    public string Broker { get; }

    /// <summary>True for librdkafka's mock, which makes topics itself and does not support CreateTopics.</summary>
    public bool MakesTopics { get; }

    public string Group { get; }
    public NpgsqlDataSource Database { get; }
    public RawKafka Kafka { get; }

    /// <summary>What the service consumes; some tests write it to an outbox, so that the service's own events come back to it.</summary>
    public EventType<ThingChanged> Changed { get; }

    /// <summary>What the service publishes.</summary>
    public EventType<ThingNoted> Noted { get; }

    public string DeadLetterTopic => $"{Changed.Topic}.{Group}.dlq";

    public static async Task<TestBed> CreateAsync(InfrastructureFixture infrastructure, FaultyBroker? broker = null)
    {
        if (!infrastructure.KafkaIsReal)
        {
            broker ??= s_mock.Value;
        }

        var schema = $"test_{Guid.CreateVersion7():N}";
        var bed = new TestBed(
            new NpgsqlConnectionStringBuilder(await DatabaseAsync(infrastructure)) { SearchPath = schema }.ConnectionString,
            broker?.Address ?? infrastructure.Kafka,
            broker is not null);
        await using var db = new ThingsDb(new DbContextOptionsBuilder<ThingsDb>().UseNpgsql(bed.ConnectionString).UseSnakeCaseNamingConvention().Options);
        await bed.ExecuteAsync(
            $"""
            CREATE SCHEMA {schema};
            {db.Database.GenerateCreateScript()}
            CREATE TABLE effects (seq bigint GENERATED ALWAYS AS IDENTITY, key uuid NOT NULL, version bigint NOT NULL, event_id uuid NOT NULL);
            """);
        return bed;
    }

    public Task<TestService> StartAsync(params IEnumerable<(string Name, string Value)> settings) => StartAsync((_, _, _) => Task.CompletedTask, settings);

    public async Task<TestService> StartAsync(BeforeHandling before, params IEnumerable<(string Name, string Value)> settings)
    {
        var service = await TestService.StartAsync(this, before, settings);
        _services.Add(service);
        return service;
    }

    /// <summary>An orderly stop: the slots are released, the offsets committed.</summary>
    public async Task StopAsync(TestService service)
    {
        _services.Remove(service);
        await service.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_services.Select(service => service.DisposeAsync().AsTask()));
        Kafka.Dispose();
        await Database.DisposeAsync();
    }

    public async Task<int> ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    // The outbox.

    /// <summary>An event of <see cref="Changed"/>, not written anywhere yet. Ids follow the order of the calls.</summary>
    public OutboxMessage Message(Guid key, long version, string text = "", DateTimeOffset? time = null)
        => OutboxMessage.Create(Changed, key, version, new(key, version, text), time ?? TimeProvider.System.GetUtcNow());

    /// <summary>Writes rows in one transaction outside every service, as left by a process that died before it published them.</summary>
    public async Task WriteAsync(params IReadOnlyList<OutboxMessage> messages)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.AddOutbox(messages);
        await batch.ExecuteNonQueryAsync();
    }

    public Task OutboxIsEmptyAsync() => Eventually.TrueAsync(
        async () => await ScalarAsync<long>("SELECT count(*) FROM outbox_messages") == 0, Timeout, "An empty outbox");

    /// <summary>A key that is relayed in the same slot as the message.</summary>
    public Guid KeyInSlotOf(OutboxMessage message)
    {
        while (true)
        {
            var key = Guid.CreateVersion7();
            if (Message(key, 1).Slot == message.Slot)
            {
                return key;
            }
        }
    }

    /// <summary>The events of a topic in their order, without duplicates: what a consumer with an inbox sees.</summary>
    public async Task<IReadOnlyList<(Guid Key, long Version)>> FirstOccurrencesAsync(string topic)
        => [.. (await Kafka.ReadAsync(topic)).DistinctBy(record => RawKafka.Header(record, "ce_id"))
            .Select(record => (Guid.Parse(record.Message.Key), long.Parse(RawKafka.Header(record, "ce_aggregateversion")!, null)))];

    // The inbox.

    public static byte[] Json(ThingChanged thing) => JsonSerializer.SerializeToUtf8Bytes(thing, ThingsJson.Default.ThingChanged);

    /// <summary>Sends a well-formed event, as another service would.</summary>
    public Task<TopicPartitionOffset> SendAsync(ThingChanged thing, Guid? id = null, int? partition = null, string? traceParent = null) => Kafka.PublishAsync(
        Changed.Topic, Encoding.UTF8.GetBytes(thing.ThingId.ToString()), Json(thing),
        RawKafka.CloudEvent(ThingChanged.Type, id ?? Guid.CreateVersion7(), thing.ThingId.ToString(), thing.Version, traceParent), partition);

    /// <summary>The same event as a consumed record, for <see cref="TestService.ProcessAsync"/>.</summary>
    public EventRecord Record(ThingChanged thing, Guid? id = null, long offset = 0, string? traceParent = null) => new(
        Changed.Topic, 0, offset, thing.ThingId.ToString(),
        RawKafka.CloudEvent(ThingChanged.Type, id ?? Guid.CreateVersion7(), thing.ThingId.ToString(), thing.Version, traceParent), Json(thing));

    /// <summary>All effects, in the order in which they were made.</summary>
    public async Task<IReadOnlyList<Effect>> EffectsAsync()
    {
        await using var command = Command("SELECT key, version, event_id FROM effects ORDER BY seq", []);
        await using var reader = await command.ExecuteReaderAsync();
        var effects = new List<Effect>();
        while (await reader.ReadAsync())
        {
            effects.Add(new(reader.GetGuid(0), reader.GetInt64(1), reader.GetGuid(2)));
        }

        return effects;
    }

    /// <summary>Waits until an event has taken effect. Everything before it in its partition has been handled then too.</summary>
    public Task AppliedAsync(Guid key, long version) => Eventually.TrueAsync(
        async () => (await EffectsAsync()).Any(effect => effect.Key == key && effect.Version == version), Timeout, $"The effect of {key} version {version}");

    /// <summary>Waits until this many events have taken effect.</summary>
    public async Task<IReadOnlyList<Effect>> AppliedAsync(int atLeast)
    {
        IReadOnlyList<Effect> effects = [];
        await Eventually.TrueAsync(async () => (effects = await EffectsAsync()).Count >= atLeast, Timeout, $"{atLeast} effects");
        return effects;
    }

    public Task<long> DeadLettersAsync() => ScalarAsync<long>("SELECT count(*) FROM dead_letters");

    private static async Task<string> DatabaseAsync(InfrastructureFixture infrastructure)
    {
        await s_one.WaitAsync();
        try
        {
            return s_database ??= await infrastructure.CreateDatabaseAsync("things");
        }
        finally
        {
            s_one.Release();
        }
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = Database.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        return command;
    }
}
