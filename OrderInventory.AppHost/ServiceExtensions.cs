using System.Globalization;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.AppHost;

internal static class ServiceExtensions
{
    /// <summary>What every service of ours has: one HTTP endpoint, and readiness at /health.</summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder, string name, AppHostSettings settings, int? port = null)
        where TProject : IProjectMetadata, new()
    {
        // No launch profile: the endpoint is declared here, a developer's local profile must not add a second one.
        var service = builder.AddProject<TProject>(name, launchProfileName: null)
            .WithHttpEndpoint(port: port, name: "http")
            .WithHttpHealthCheck("/health", endpointName: "http")
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName);

        foreach (var (key, value) in settings.ServiceSettings(name))
        {
            service.WithEnvironment(key.Replace(":", "__", StringComparison.Ordinal), value);
        }

        return settings.OtlpEndpoint is { } collector
            ? service
                .WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
                .WithEnvironment("OTEL_EXPORTER_OTLP_PROTOCOL", settings.OtlpProtocol)
                .WithEnvironment("OTEL_SERVICE_NAME", name)
            : service;
    }

    /// <summary>Partitions are part of the wiring: librdkafka's mock broker always makes 4, a real Kafka as many as asked for.</summary>
    public static IResourceBuilder<ProjectResource> WithKafka(
        this IResourceBuilder<ProjectResource> service, IResourceBuilder<IResourceWithConnectionString> kafka, IInfrastructure infrastructure)
    {
        if (!infrastructure.KafkaIsReal)
        {
            // The mock answers a waiting fetch when its time is over, not when a record arrives: each hop would take Kafka's default of 500 ms.
            service.WithEnvironment("Messaging__Consumer__FetchWaitMaxMs", "10");
        }

        return service
            .WithReference(kafka)
            .WaitFor(kafka)
            .WithEnvironment("Messaging__Partitions", infrastructure.KafkaPartitions.ToString(CultureInfo.InvariantCulture))
            // The same name after a restart: it takes its outbox slots up again at once, and on a real Kafka its partitions.
            .WithEnvironment("Messaging__InstanceId", $"{service.Resource.Name}-1")
            .WithEnvironment("Messaging__StaticMembership", infrastructure.KafkaIsReal ? "true" : "false")
            .WithEnvironment("Messaging__CreateTopics", infrastructure.KafkaIsReal ? "true" : "false");
    }
}
