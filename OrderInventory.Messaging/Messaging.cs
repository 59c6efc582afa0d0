using System.Text.Json.Serialization.Metadata;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Kafka;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Messaging;

/// <summary>Settings from the configuration section <c>Messaging</c>, and the service's registrations.</summary>
public sealed class MessagingOptions
{
    /// <summary>Kafka consumer group. Default: the service's name. A new group reads everything from the beginning, for a new database.</summary>
    public string Group { get; set; } = "";

    /// <summary>
    /// Name of this replica; must differ between replicas and stay the same across restarts. Outbox slots and, with
    /// <see cref="StaticMembership"/>, partitions are owned under this name. Default: a new name at each start.
    /// </summary>
    public string InstanceId { get; set; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Kafka static membership: a replica that restarts within the session timeout keeps its partitions. Needs <see cref="InstanceId"/>.</summary>
    public bool StaticMembership { get; set; }

    /// <summary>Number of partitions of a topic that this service creates.</summary>
    public int Partitions { get; set; } = 4;

    /// <summary>
    /// Whether this service creates missing topics. Switch it off for a broker that creates them automatically and cannot handle the request:
    /// librdkafka's mock broker names a controller that it does not have, so a request to create a topic waits for that controller in vain.
    /// </summary>
    public bool CreateTopics { get; set; } = true;

    /// <summary>Maximum number of records in a consumed batch. A batch is one transaction.</summary>
    public int MaxBatch { get; set; } = 500;

    /// <summary>
    /// Minimum time from the start of one consumed batch to the start of the next. A batch costs about the same for one event as for fifty, so
    /// under load this setting determines the processor time per event. After an idle period a batch starts without waiting.
    /// </summary>
    public TimeSpan BatchInterval { get; set; } = TimeSpan.FromMilliseconds(30);

    /// <summary>The same for the rounds of the relay, which cost less: one request to the broker per partition.</summary>
    public TimeSpan RelayInterval { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long events of bulk topics are collected before they are sent: nobody waits for these events.</summary>
    public TimeSpan BulkLinger { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>How long handled events are remembered.</summary>
    public TimeSpan InboxRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How often the relay reads the table without a signal when it owns all slots.</summary>
    public TimeSpan IdlePoll { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the relay reads the table when other replicas own slots too: they may have written rows for this replica's slots.</summary>
    public TimeSpan SharedPoll { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// Maximum size of an event's data in bytes: the producer's limit (<c>Messaging:Producer:MessageMaxBytes</c>, 1,000,000 unless
    /// set) minus room for key and headers, including those of a dead letter's copy.
    /// </summary>
    public int MaxPayload => Math.Max((Producer.MessageMaxBytes ?? 1_000_000) - RecordOverhead, 0);

    private const int RecordOverhead = 8 * 1024;

    internal Dictionary<string, EventRegistration> Events { get; } = [];
    internal HashSet<string> ConsumedTopics { get; } = [];
    internal HashSet<string> PublishedTopics { get; } = [];
    internal HashSet<string> BulkTopics { get; } = [];
    internal IEnumerable<string> Topics => ConsumedTopics.Union(PublishedTopics);

    /// <summary>
    /// The brokers' addresses and credentials for every Kafka client of this service (section <c>Messaging:Kafka</c>, with Confluent's names).
    /// </summary>
    internal ClientConfig Kafka { get; set; } = new();

    /// <summary>
    /// An admin client with its own connections. It must not share those of the relay's producer: the relay may dispose of the producer during a
    /// request, and a request through a disposed client ends the process.
    /// </summary>
    internal IAdminClient CreateAdminClient() => new AdminClientBuilder(Kafka).SetLogHandler(static (_, _) => { }).Build();

    internal ProducerConfig Producer { get; set; } = new();
    internal ConsumerConfig Consumer { get; set; } = new();

    /// <summary>
    /// A copy of the consumer's settings for a consumer other than the inbox's: requests and replies that are not stored. Copied pair by pair,
    /// because an object from Confluent's copy constructor writes into the original.
    /// </summary>
    public ConsumerConfig ConsumerSettings => new(Consumer.ToDictionary(setting => setting.Key, setting => setting.Value));

    /// <summary>The producer's settings for bulk topics; copied pair by pair for the same reason.</summary>
    internal ProducerConfig BulkProducer => new(Producer.ToDictionary(setting => setting.Key, setting => setting.Value)) { LingerMs = BulkLinger.TotalMilliseconds };
}

public static class MessagingExtensions
{
    /// <summary>
    /// Adds the outbox, which publishes events, and the inbox, which consumes them. Register the service's database first, and call
    /// <see cref="MessagingModel.AddMessaging"/> in its model.
    /// </summary>
    /// <param name="builder">The service.</param>
    /// <param name="group">The service's name, which is also its consumer group.</param>
    /// <param name="configure">What the service publishes and consumes.</param>
    public static void AddMessaging(this IHostApplicationBuilder builder, string group, Action<MessagingBuilder> configure)
    {
        const string connection = "kafka";
        var options = new MessagingOptions();
        builder.Configuration.GetSection("Messaging").Bind(options);
        if (options.Group.Length == 0)
        {
            options.Group = group;
        }

        builder.Configuration.GetSection("Messaging:Kafka").Bind(options.Kafka);
        configure(new(options, builder.Services));

        builder.AddKafkaProducer<string, byte[]>(connection, settings =>
        {
            settings.DisableHealthChecks = true;
            // Our spans continue the trace of the outbox row; the client's own spans would start new traces.
            settings.DisableTracing = true;
            settings.DisableMetrics = true;
            settings.Config.Take(options.Kafka);
            builder.Configuration.GetSection("Messaging:Producer").Bind(settings.Config);
            EventProducer.Configure(settings.Config);
            settings.Config.BootstrapServers ??= settings.ConnectionString;
            options.Kafka.BootstrapServers = settings.Config.BootstrapServers;
            options.Producer = settings.Config;
        }, (services, producer) => producer.SetErrorHandler(EventProducer.ErrorHandler(services.GetRequiredService<ILogger<EventProducer>>())));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<EventProducer>();
        builder.Services.AddSingleton<KafkaTopics>();
        builder.Services.AddSingleton<OutboxSignal>();
        builder.Services.AddSingleton<IInterceptor, OutboxWaker>();
        builder.Services.AddSingleton<InboxProcessor>();
        builder.Services.AddSingleton<DeadLetterReplay>();
        builder.Services.AddHostedService<OutboxRelay>();
        builder.AddDatabaseGauges(
            MessagingTelemetry.Name, TimeSpan.FromSeconds(5),
            """
            SELECT count(*)::float8, coalesce(greatest(extract(epoch FROM now() - min(created_at)), 0), 0)::float8, (SELECT count(*) FROM dead_letters)::float8
            FROM outbox_messages
            """,
            new("messaging.outbox.length", "{event}", "Events that the broker has not acknowledged"),
            new("messaging.outbox.age", "s", "Age of the oldest event in the outbox; 0 when there is none"),
            new("messaging.dead_letters.current", "{event}", "Dead letters that were neither replayed nor deleted"));

        if (options.ConsumedTopics.Count > 0)
        {
            options.Consumer.Take(options.Kafka);
            EventConsumer.Configure(options.Consumer, options.Group);
            // The operator's client settings, with Confluent's names. The settings that exactly-once processing depends on are set after them.
            builder.Configuration.GetSection("Messaging:Consumer").Bind(options.Consumer);
            options.Consumer.EnableAutoOffsetStore = false;
            options.Consumer.GroupInstanceId = options.StaticMembership ? options.InstanceId : null;
            builder.Services.AddSingleton<ConsumerState>();
            builder.Services.AddHealthChecks().AddCheck<ConsumerState>("consumer");
            builder.Services.AddHostedService<EventConsumer>();
            builder.Services.AddHostedService<InboxCleaner>();
        }
    }

    /// <summary>Copies pair by pair: objects from Confluent's copy constructors write into the original.</summary>
    internal static T Take<T>(this T config, ClientConfig connection)
        where T : ClientConfig
    {
        foreach (var (name, value) in connection)
        {
            config.Set(name, value);
        }

        return config;
    }
}

/// <summary>What a service publishes and consumes.</summary>
public sealed class MessagingBuilder
{
    private readonly MessagingOptions _options;
    private readonly IServiceCollection _services;

    internal MessagingBuilder(MessagingOptions options, IServiceCollection services)
    {
        _options = options;
        _services = services;
    }

    /// <summary>Declares a topic that this service needs: it is created if it is missing.</summary>
    public MessagingBuilder Uses(string topic)
    {
        _options.PublishedTopics.Add(topic);
        return this;
    }

    /// <summary>The same for a topic whose events nobody waits for: they are collected for <see cref="MessagingOptions.BulkLinger"/>.</summary>
    public MessagingBuilder UsesInBulk(string topic)
    {
        _options.BulkTopics.Add(topic);
        return Uses(topic);
    }

    /// <summary>
    /// Hands events of a type to a handler; within a batch, handlers run in the order of their registration. A handler may take several types; it
    /// then gets a batch's events of all of them in one call.
    /// </summary>
    /// <param name="topic">Kafka topic.</param>
    /// <param name="type">CloudEvents type; others on the topic are skipped and counted.</param>
    /// <param name="json">How the data is read.</param>
    /// <param name="concerns">Whether the handler has anything to do for this data; if not, the event is skipped. Default: always.</param>
    /// <param name="validate">What is wrong with the data, or null; an invalid event is poison. Default: no check.</param>
    public MessagingBuilder Consumes<T, THandler>(
        string topic, string type, JsonTypeInfo<T> json, Func<T, bool>? concerns = null, Func<T, string?>? validate = null)
        where T : class
        where THandler : class, IBatchHandler
    {
        _options.ConsumedTopics.Add(topic);
        _options.Events.Add(type, new EventRegistration<T>(_options.Events.Count, type, typeof(THandler), json, concerns, validate));
        if (_services.All(s => s.ServiceType != typeof(THandler)))
        {
            _services.AddSingleton<THandler>();
        }

        return this;
    }
}
