using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>What one test has for itself: a schema, topics and a consumer group of its own, and the replicas that it starts.</summary>
internal sealed class TestBed : IAsyncDisposable
{
    /// <summary>On a real Kafka; librdkafka's mock makes four.</summary>
    public const string Partitions = "2";

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // Making a database takes PostgreSQL longer than most of these tests take, and recovering from a crash with fifty of them a minute.
    private static readonly SemaphoreSlim s_one = new(1, 1);
    private static string? s_database;

    // Where there is no real Kafka: the AppHost's mock broker lets the first consumer of each group wait three seconds for others, and
    // cannot be told otherwise. This one is the same, without the wait.
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

    /// <summary>True of librdkafka's mock, which cannot be asked to make topics.</summary>
    public bool MakesTopics { get; }

    public string Group { get; }
    public NpgsqlDataSource Database { get; }
    public RawKafka Kafka { get; }

    /// <summary>What the service consumes; written to an outbox by some tests, so that its own events come back to it.</summary>
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

    /// <summary>An orderly stop: the slots are given back, the offsets committed.</summary>
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

    /// <summary>An event of <see cref="Changed"/>, not written anywhere yet. Ids are made in the order of the calls.</summary>
    public OutboxMessage Message(Guid key, long version, string text = "", DateTimeOffset? time = null)
        => OutboxMessage.Create(Changed, key, version, new(key, version, text), time ?? TimeProvider.System.GetUtcNow());

    /// <summary>Writes rows in one transaction from outside of every service: what a process has left that died before it published.</summary>
    public async Task WriteAsync(params IReadOnlyList<OutboxMessage> messages)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.AddOutbox(messages);
        await batch.ExecuteNonQueryAsync();
    }

    public Task OutboxIsEmptyAsync() => Eventually.TrueAsync(
        async () => await ScalarAsync<long>("SELECT count(*) FROM outbox_messages") == 0, Timeout, "An empty outbox");

    /// <summary>A key that is relayed in the same slot as another one.</summary>
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

    /// <summary>The events of a topic in their order, without repetitions: what a consumer with an inbox sees.</summary>
    public async Task<IReadOnlyList<(Guid Key, long Version)>> FirstOccurrencesAsync(string topic)
        => [.. (await Kafka.ReadAsync(topic)).DistinctBy(record => RawKafka.Header(record, "ce_id"))
            .Select(record => (Guid.Parse(record.Message.Key), long.Parse(RawKafka.Header(record, "ce_aggregateversion")!, null)))];

    // The inbox.

    public static byte[] Json(ThingChanged thing) => JsonSerializer.SerializeToUtf8Bytes(thing, ThingsJson.Default.ThingChanged);

    /// <summary>Sends a well-formed event, as another service would.</summary>
    public Task<TopicPartitionOffset> SendAsync(ThingChanged thing, Guid? id = null, int? partition = null, string? traceParent = null) => Kafka.PublishAsync(
        Changed.Topic, Encoding.UTF8.GetBytes(thing.ThingId.ToString()), Json(thing),
        RawKafka.CloudEvent(ThingChanged.Type, id ?? Guid.CreateVersion7(), thing.ThingId.ToString(), thing.Version, traceParent), partition);

    /// <summary>The same event as a record that was read, for <see cref="TestService.ProcessAsync"/>.</summary>
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

    /// <summary>Waits until an event has had an effect. What was before it in its partition has been dealt with then too.</summary>
    public Task AppliedAsync(Guid key, long version) => Eventually.TrueAsync(
        async () => (await EffectsAsync()).Any(effect => effect.Key == key && effect.Version == version), Timeout, $"The effect of {key} version {version}");

    /// <summary>Waits until this many events have had an effect.</summary>
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
