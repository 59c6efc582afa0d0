using System.Globalization;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.AppHost;

internal static class ServiceExtensions
{
    /// <summary>What every service of ours has: one HTTP endpoint, readiness at /health, liveness at /alive.</summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder, string name, AppHostSettings settings)
        where TProject : IProjectMetadata, new()
    {
        // No launch profile: the endpoint is declared here, a developer's local profile must not add a second one.
        var service = builder.AddProject<TProject>(name, launchProfileName: null)
            // Not behind the orchestrator's proxy, which accepts a connection for a service that is down and holds it.
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

        // Aspire shows queries in traces where it runs things; here they are searched by names and e-mail addresses.
        service
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION", "false")
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION", "false");
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            // Last, so that it counts before what the AppHost says itself, such as the address of another service.
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
            // Aspire names the dashboard's port also when there is no dashboard; exporting to nobody costs each service retries.
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

    /// <summary>Partitions are part of the wiring: librdkafka's mock broker always makes 4, a real Kafka as many as asked for.</summary>
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
            // The same name after a restart: it takes its outbox slots up again at once, and on a real Kafka its partitions. Each is one
            // process here; a second system on the same servers names its own by its number.
            service
                .WithEnvironment("Messaging__InstanceId", $"{service.Resource.Name}-{settings.Replica.ToString(CultureInfo.InvariantCulture)}")
                .WithEnvironment("Messaging__StaticMembership", infrastructure.KafkaIsReal ? "true" : "false");
        }

        return infrastructure.KafkaIsReal
            ? service
            // The mock makes topics itself. It answers a waiting fetch when its time is over, not when a record arrives: each hop would take
            // Kafka's default of 500 ms.
            : service.WithEnvironment("Messaging__CreateTopics", "false").WithEnvironment("Messaging__Consumer__FetchWaitMaxMs", "10");
    }

    /// <summary>
    /// Aspire's default is <c>dotnet run --no-build</c>, which stays alive beside the service: 85 to 90 MB and a second of start each. A
    /// service is built with the AppHost, so its executable is started directly. <c>dotnet watch</c> keeps Aspire's way, which restarts it.
    /// </summary>
    private static IResourceBuilder<ProjectResource> StartBuiltAssembly<TProject>(this IResourceBuilder<ProjectResource> service)
        where TProject : IProjectMetadata, new()
    {
        var project = new TProject().ProjectPath;
        var folder = Path.GetDirectoryName(project)!;
        // The AppHost's own output folder, or a test's, ends in the same bin/Release/net10.0.
        var output = Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "../../.."), AppContext.BaseDirectory);
        var executable = Path.Combine(folder, output, Path.GetFileNameWithoutExtension(project) + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return File.Exists(executable) && !IsWatched
            ? service.WithAnnotation(new ExecutableAnnotation { Command = executable, WorkingDirectory = folder })
            : service;
    }

    private static bool IsWatched => Environment.GetEnvironmentVariable("DOTNET_WATCH") is "1" or "true";
}
