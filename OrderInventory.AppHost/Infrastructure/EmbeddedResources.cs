namespace OrderInventory.AppHost.Infrastructure;

/// <summary>A server that runs as a local process and has a connection string, as a container resource would.</summary>
internal sealed class EmbeddedServer(string name, string command, string workingDirectory)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    /// <summary>Set once, after the server has been added: it names the server's endpoints, which exist only then.</summary>
    public ReferenceExpression ConnectionStringExpression { get; set; } = ReferenceExpression.Empty;
}

/// <summary>A resource without its own process: the mock broker inside the AppHost, or a folder.</summary>
internal sealed class EmbeddedPlace(string name, string connectionString) : Resource(name), IResourceWithConnectionString
{
    public ReferenceExpression ConnectionStringExpression { get; } = ReferenceExpression.Create($"{connectionString}");
}

internal static class EmbeddedResources
{
    public static IResourceBuilder<EmbeddedPlace> AddPlace(this IDistributedApplicationBuilder builder, EmbeddedPlace place)
        => builder.AddResource(place).WithInitialState(new CustomResourceSnapshot
        {
            ResourceType = "Embedded",
            Properties = [],
            State = KnownResourceStates.Running,
        });

    /// <summary>
    /// Adds an endpoint without a proxy: a server that advertises its own address to clients (Kafka) does not work behind one. Aspire chooses a free
    /// port from a range that the system does not use for outgoing connections.
    /// </summary>
    public static IResourceBuilder<EmbeddedServer> WithPort(this IResourceBuilder<EmbeddedServer> server, string name, string scheme = "tcp")
        => server.WithEndpoint(scheme: scheme, name: name, isProxied: false);

    /// <summary>The endpoint's port, known when the server is about to start.</summary>
    public static EndpointReferenceExpression Port(this IResourceBuilder<EmbeddedServer> server, string name)
        => server.GetEndpoint(name).Property(EndpointProperty.Port);
}
