using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Confluent.Kafka
{
    // The instrumentation and the health check that the real package brings are not part of the shim; who wants the check hears so.
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
        public static void AddKafkaProducer<TKey, TValue>(
            this IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configureSettings)
        {
            var settings = new KafkaProducerSettings();
            var section = builder.Configuration.GetSection("Aspire:Confluent:Kafka:Producer");
            foreach (var source in new[] { section, section.GetSection(connectionName) })
            {
                source.Bind(settings);
                source.GetSection("Config").Bind(settings.Config);
            }

            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            settings.Config.BootstrapServers = settings.ConnectionString ?? settings.Config.BootstrapServers;
            settings.Config.StatisticsIntervalMs ??= settings.DisableMetrics ? null : 1000;
            if (!settings.DisableHealthChecks)
            {
                throw new NotSupportedException("The Aspire shim has no Kafka health check: set DisableHealthChecks.");
            }

            builder.Services.AddSingleton<IProducer<TKey, TValue>>(_ => string.IsNullOrEmpty(settings.Config.BootstrapServers)
                ? throw new InvalidOperationException("No bootstrap servers configured.")
                : new ProducerBuilder<TKey, TValue>(settings.Config).Build());
        }
    }
}
