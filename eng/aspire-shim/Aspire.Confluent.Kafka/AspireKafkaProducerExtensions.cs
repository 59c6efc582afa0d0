using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Extensions.Hosting;

public static class AspireKafkaProducerExtensions
{
    private const string Section = "Aspire:Confluent:Kafka:Producer";

    public static void AddKafkaProducer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName)
        => AddKafkaProducer<TKey, TValue>(builder, connectionName, null, (Action<IServiceProvider, ProducerBuilder<TKey, TValue>>?)null);

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configureSettings)
        => AddKafkaProducer<TKey, TValue>(builder, connectionName, configureSettings, (Action<IServiceProvider, ProducerBuilder<TKey, TValue>>?)null);

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<ProducerBuilder<TKey, TValue>>? configureBuilder)
        => AddKafkaProducer<TKey, TValue>(builder, connectionName, configureSettings, (_, producer) => configureBuilder?.Invoke(producer));

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = new KafkaProducerSettings();
        KafkaCommon.Bind(builder.Configuration.GetSection(Section), connectionName, settings, settings.Config);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);
        settings.Config.BootstrapServers = settings.ConnectionString ?? settings.Config.BootstrapServers;
        settings.Config.StatisticsIntervalMs ??= settings.DisableMetrics ? null : 1000;

        builder.Services.AddSingleton<IProducer<TKey, TValue>>(services =>
        {
            settings.Validate();
            var producer = new ProducerBuilder<TKey, TValue>(settings.Config);
            configureBuilder?.Invoke(services, producer);
            KafkaCommon.TrySetLogHandler(services, log => producer.SetLogHandler((_, message) => log(message)));
            return producer.Build();
        });
        if (!settings.DisableHealthChecks)
        {
            KafkaCommon.TryAddHealthCheck(builder, "Aspire.Confluent.Kafka.Producer", settings.Config);
        }
    }
}
