using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Confluent.Kafka;

internal static class KafkaCommon
{
    public static void Bind(IConfiguration section, string connectionName, object settings, ClientConfig config)
    {
        foreach (var source in new[] { section, section.GetSection(connectionName) })
        {
            source.Bind(settings);
            source.GetSection("Config").Bind(config);
        }
    }

    public static void TrySetLogHandler(IServiceProvider services, Action<Action<LogMessage>> setHandler)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Aspire.Confluent.Kafka");
        try
        {
            setHandler(message =>
            {
                var level = (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging);
                logger.Log(level, default, message.Message, null, static (text, _) => text);
            });
        }
        catch (InvalidOperationException)
        {
            // The application set its own handler in configureBuilder; it keeps it.
        }
    }

    public static void TryAddHealthCheck(IHostApplicationBuilder builder, string name, ClientConfig client)
    {
        if (!builder.Properties.TryAdd($"Aspire.HealthChecks.{name}", true))
        {
            return;
        }

        builder.Services.AddKeyedSingleton<BrokerHealthCheck>(name, (_, _) => new BrokerHealthCheck(client.BootstrapServers));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, services => services.GetRequiredKeyedService<BrokerHealthCheck>(name), failureStatus: null, tags: null));
    }

    private sealed class BrokerHealthCheck(string? bootstrapServers) : IHealthCheck, IDisposable
    {
        private readonly Lazy<IAdminClient> _admin =
            new(() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers }).Build());

        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
            => Task.Run(() =>
            {
                try
                {
                    var brokers = _admin.Value.GetMetadata(TimeSpan.FromSeconds(1)).Brokers;
                    return brokers.Count > 0 ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus);
                }
                catch (KafkaException exception)
                {
                    return new HealthCheckResult(context.Registration.FailureStatus, exception: exception);
                }
            }, cancellationToken);

        public void Dispose()
        {
            if (_admin.IsValueCreated)
            {
                _admin.Value.Dispose();
            }
        }
    }
}
