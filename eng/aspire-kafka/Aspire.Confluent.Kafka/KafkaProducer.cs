using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// Replaces the package of this name. Configuration sections, their order and the defaults are the same as in microsoft/aspire, v13.6.x,
// src/Components/Aspire.Confluent.Kafka (AspireKafkaProducerExtensions.cs, KafkaProducerSettings.cs).
namespace Aspire.Confluent.Kafka
{
    /// <summary>The package's health check, metrics and traces are not implemented here: an exception is thrown unless they are disabled.</summary>
    public sealed class KafkaProducerSettings
    {
        public string? ConnectionString { get; set; }

        public ProducerConfig Config { get; } = new();

        public bool DisableMetrics { get; set; }

        public bool DisableHealthChecks { get; set; }

        public bool DisableTracing { get; set; }
    }
}

namespace Microsoft.Extensions.Hosting
{
    public static class AspireKafkaProducerExtensions
    {
        /// <summary>Registers an <see cref="IProducer{TKey, TValue}"/>; configuration, then the connection string, then the callbacks.</summary>
        public static void AddKafkaProducer<TKey, TValue>(
            this IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configureSettings, Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder)
        {
            var settings = new KafkaProducerSettings();
            var section = builder.Configuration.GetSection("Aspire:Confluent:Kafka:Producer");
            foreach (var source in new[] { section, section.GetSection(connectionName) })
            {
                source.Bind(settings);
                source.GetSection(nameof(settings.Config)).Bind(settings.Config);
            }

            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            if (!(settings.DisableMetrics && settings.DisableHealthChecks && settings.DisableTracing))
            {
                throw new NotSupportedException("Health check, metrics and traces of Aspire.Confluent.Kafka are not part of eng/aspire-kafka: disable them.");
            }

            settings.Config.BootstrapServers = settings.ConnectionString ?? settings.Config.BootstrapServers;
            builder.Services.AddSingleton<IProducer<TKey, TValue>>(services =>
            {
                if (string.IsNullOrEmpty(settings.Config.BootstrapServers))
                {
                    throw new InvalidOperationException("No bootstrap servers configured.");
                }

                var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Aspire.Confluent.Kafka");
                var producer = new ProducerBuilder<TKey, TValue>(settings.Config)
                    .SetLogHandler((_, message) =>
                    {
                        var level = (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging);
                        logger.Log(level, default, message, null, static (text, _) => text.Message);
                    });
                configureBuilder?.Invoke(services, producer);
                return producer.Build();
            });
        }
    }
}
