using Aspire.Hosting.ApplicationModel;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

// Replaces the package of this name. Image, ports, listeners, addresses and health check are the same as in microsoft/aspire, v13.6.x,
// src/Aspire.Hosting.Kafka (KafkaBuilderExtensions.cs, KafkaServerResource.cs, KafkaContainerImageTags.cs).
namespace Aspire.Hosting;

/// <summary>A Kafka broker in a container; its connection string is the host:port for the host machine.</summary>
public class KafkaServerResource(string name) : ContainerResource(name), IResourceWithConnectionString, IResourceWithEnvironment
{
    /// <summary>For processes on the host machine.</summary>
    public EndpointReference PrimaryEndpoint => new(this, "tcp", KnownNetworkIdentifiers.LocalhostNetwork);

    /// <summary>For other containers.</summary>
    public EndpointReference InternalEndpoint => new(this, "internal", KnownNetworkIdentifiers.DefaultAspireContainerNetwork);

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
}

public static class KafkaBuilderExtensions
{
    private const string DataFolder = "/var/lib/kafka/data";

    /// <summary>Adds one broker in KRaft mode.</summary>
    /// <param name="port">The host's port; a free one by default.</param>
    public static IResourceBuilder<KafkaServerResource> AddKafka(this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port = null)
    {
        var kafka = new KafkaServerResource(name);
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration($"{name}_check", new ProduceCheck(kafka), null, null));
        return builder.AddResource(kafka)
            .WithEndpoint(targetPort: 9092, port: port, name: "tcp")
            .WithEndpoint(targetPort: 9093, name: "internal")
            .WithImage("confluentinc/confluent-local", "8.2.0")
            .WithImageRegistry("docker.io")
            .WithIconName("MailMultiple")
            .WithEnvironment("KAFKA_LISTENERS", "PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,PLAINTEXT_HOST://0.0.0.0:9092,PLAINTEXT_INTERNAL://0.0.0.0:9093")
            .WithEnvironment("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT,PLAINTEXT_INTERNAL:PLAINTEXT")
            .WithEnvironment(context => context.EnvironmentVariables["KAFKA_ADVERTISED_LISTENERS"] = Advertised(kafka, context.ExecutionContext.IsRunMode))
            .WithHealthCheck($"{name}_check");
    }

    /// <summary>Keeps the broker's data in a volume.</summary>
    public static IResourceBuilder<KafkaServerResource> WithDataVolume(this IResourceBuilder<KafkaServerResource> builder, string? name = null, bool isReadOnly = false)
        => builder.WithEnvironment("KAFKA_LOG_DIRS", DataFolder).WithVolume(name ?? VolumeNameGenerator.Generate(builder, "data"), DataFolder, isReadOnly);

    private static ReferenceExpression Advertised(KafkaServerResource kafka, bool runs)
    {
        var (host, inside) = (kafka.PrimaryEndpoint, kafka.InternalEndpoint);
        return runs
            ? ReferenceExpression.Create($"PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:{host.Property(EndpointProperty.Port)},PLAINTEXT_INTERNAL://{kafka.Name}:{inside.Property(EndpointProperty.TargetPort)}")
            : ReferenceExpression.Create($"PLAINTEXT://{host.Property(EndpointProperty.Host)}:29092,PLAINTEXT_HOST://{host.Property(EndpointProperty.HostAndPort)},PLAINTEXT_INTERNAL://{inside.Property(EndpointProperty.HostAndPort)}");
    }

    /// <summary>As in the package: the broker is healthy when it accepts a record for the topic <c>healthchecks-topic</c>.</summary>
    private sealed class ProduceCheck(KafkaServerResource kafka) : IHealthCheck, IDisposable
    {
        private IProducer<string, string>? _producer;

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                _producer ??= new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = await kafka.ConnectionStringExpression.GetValueAsync(cancellationToken) })
                    .SetLogHandler(static (_, _) => { })
                    .Build();
                var result = await _producer.ProduceAsync("healthchecks-topic", new() { Key = "healthcheck-key", Value = "check" }, cancellationToken);
                return result.Status == PersistenceStatus.NotPersisted ? new(context.Registration.FailureStatus, "The record was not written.") : HealthCheckResult.Healthy();
            }
            catch (KafkaException problem)
            {
                return new(context.Registration.FailureStatus, problem.Error.Reason, problem);
            }
        }

        public void Dispose() => _producer?.Dispose();
    }
}
