using System.Globalization;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.AppHost;

internal static class ServiceExtensions
{
    /// <summary>Adds a service of ours with one HTTP endpoint, readiness at /health and liveness at /alive.</summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder, string name, AppHostSettings settings)
        where TProject : IProjectMetadata, new()
    {
        // No launch profile: the endpoint is declared here, and a developer's local profile must not add a second one.
        var service = builder.AddProject<TProject>(name, launchProfileName: null)
            // Not behind the orchestrator's proxy, which accepts connections for a service that is down and keeps them waiting.
            .WithHttpEndpoint(port: settings.PortOf(name), name: "http", isProxied: builder.ExecutionContext.IsPublishMode)
            .DisableForwardedHeaders()
            .WithHttpProbe(ProbeType.Readiness, "/health", timeoutSeconds: 5, endpointName: "http")
            .WithHttpProbe(ProbeType.Liveness, "/alive", timeoutSeconds: 5, endpointName: "http");
        if (builder.ExecutionContext.IsPublishMode)
        {
            return service;
        }

        service.WithUrlForEndpoint("http", url => url.DisplayText = name == "gateway" ? "API reference" : "Service")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/health", DisplayText = "Health" });
        service.StartBuiltAssembly<TProject>().WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName);
        foreach (var (key, value) in settings.ServiceSettings(name))
        {
            service.WithEnvironment(key.Replace(":", "__", StringComparison.Ordinal), value);
        }

        // When run by Aspire, traces would show query strings unredacted; here these contain names and e-mail addresses.
        service
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION", "false")
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION", "false");
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            // Applied last, so that it overrides what the AppHost sets itself, such as the address of another service.
            foreach (var (key, value) in settings.ServiceEnvironment(name))
            {
                service.WithEnvironment(key, value);
            }

            return Task.CompletedTask;
        });

        if (settings.OtlpEndpoint is { } collector)
        {
            service
                .WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
                .WithEnvironment("OTEL_EXPORTER_OTLP_PROTOCOL", settings.OtlpProtocol);
        }
        else
        {
            // Aspire sets the dashboard's port even without a dashboard; exporting to nobody would cost each service retries.
            service.WithEnvironment(context =>
            {
                if (!builder.Resources.Any(resource => resource.Name == "aspire-dashboard"))
                {
                    context.EnvironmentVariables.Remove("OTEL_EXPORTER_OTLP_ENDPOINT");
                }
            });
        }

        return service;
    }

    /// <summary>
    /// Connects a service to Kafka. The number of partitions is set here: the mock broker always creates 4, a real Kafka the configured number.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithKafka(
        this IResourceBuilder<ProjectResource> service, IResourceBuilder<IResourceWithConnectionString> kafka, IInfrastructure infrastructure,
        AppHostSettings settings)
    {
        service
            .WithReference(kafka)
            .WaitFor(kafka)
            .WithEnvironment("Messaging__Partitions", infrastructure.KafkaPartitions.ToString(CultureInfo.InvariantCulture));
        if (!service.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            // The name is the same after a restart, so the service immediately resumes its outbox slots and, on a real Kafka, its partitions. Each
            // service is one process here; the names of a second system on the same servers have its replica number.
            service
                .WithEnvironment("Messaging__InstanceId", $"{service.Resource.Name}-{settings.Replica.ToString(CultureInfo.InvariantCulture)}")
                .WithEnvironment("Messaging__StaticMembership", infrastructure.KafkaIsReal ? "true" : "false");
        }

        return infrastructure.KafkaIsReal
            ? service
            // The mock creates topics itself. It answers a waiting fetch when its timeout ends, not when a record arrives: each hop would take
            // Kafka's default of 500 ms.
            : service.WithEnvironment("Messaging__CreateTopics", "false").WithEnvironment("Messaging__Consumer__FetchWaitMaxMs", "10");
    }

    /// <summary>
    /// Starts the service's executable directly, as it is built with the AppHost. Aspire's default is <c>dotnet run --no-build</c>, which stays alive
    /// next to the service: 85 to 90 MB and a second of start each. <c>dotnet watch</c> keeps Aspire's default, because it restarts the service.
    /// </summary>
    private static IResourceBuilder<ProjectResource> StartBuiltAssembly<TProject>(this IResourceBuilder<ProjectResource> service)
        where TProject : IProjectMetadata, new()
    {
        var project = new TProject().ProjectPath;
        var folder = Path.GetDirectoryName(project)!;
        // The output folder of the AppHost, or of a test, ends in the same bin/Release/net10.0.
        var output = Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "../../.."), AppContext.BaseDirectory);
        var executable = Path.Combine(folder, output, Path.GetFileNameWithoutExtension(project) + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return File.Exists(executable) && !IsWatched
            ? service.WithAnnotation(new ExecutableAnnotation { Command = executable, WorkingDirectory = folder })
            : service;
    }

    private static bool IsWatched => Environment.GetEnvironmentVariable("DOTNET_WATCH") is "1" or "true";
}
