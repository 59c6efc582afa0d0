using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Extensions.Hosting;

public static class AspireKafkaConsumerExtensions
{
    private const string Section = "Aspire:Confluent:Kafka:Consumer";

    public static void AddKafkaConsumer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName)
        => AddKafkaConsumer<TKey, TValue>(builder, connectionName, null, (Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>?)null);

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaConsumerSettings>? configureSettings)
        => AddKafkaConsumer<TKey, TValue>(builder, connectionName, configureSettings, (Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>?)null);

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<ConsumerBuilder<TKey, TValue>>? configureBuilder)
        => AddKafkaConsumer<TKey, TValue>(builder, connectionName, configureSettings, (_, consumer) => configureBuilder?.Invoke(consumer));

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = new KafkaConsumerSettings();
        KafkaCommon.Bind(builder.Configuration.GetSection(Section), connectionName, settings, settings.Config);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);
        settings.Config.BootstrapServers = settings.ConnectionString ?? settings.Config.BootstrapServers;
        settings.Config.StatisticsIntervalMs ??= settings.DisableMetrics ? null : 1000;

        builder.Services.AddSingleton<IConsumer<TKey, TValue>>(services =>
        {
            settings.Validate();
            var consumer = new ConsumerBuilder<TKey, TValue>(settings.Config);
            configureBuilder?.Invoke(services, consumer);
            KafkaCommon.TrySetLogHandler(services, log => consumer.SetLogHandler((_, message) => log(message)));
            return consumer.Build();
        });
        if (!settings.DisableHealthChecks)
        {
            KafkaCommon.TryAddHealthCheck(builder, "Aspire.Confluent.Kafka.Consumer", settings.Config);
        }
    }
}
