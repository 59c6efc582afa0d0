using System.Net;
using System.Net.Sockets;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>A server that runs as a local process and has a connection string, as a container resource would.</summary>
internal sealed class EmbeddedServer(string name, string command, string workingDirectory, ReferenceExpression connectionString)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionString;
}

/// <summary>A database on the embedded PostgreSQL.</summary>
internal sealed class EmbeddedDatabase(string name, string databaseName, EmbeddedServer server)
    : Resource(name), IResourceWithConnectionString, IResourceWithParent<EmbeddedServer>
{
    public string DatabaseName { get; } = databaseName;

    public EmbeddedServer Parent { get; } = server;

    public ReferenceExpression ConnectionStringExpression { get; } = ReferenceExpression.Create($"{server.ConnectionStringExpression};Database={databaseName}");
}

/// <summary>Something without a process of its own: the mock broker inside the AppHost, or a folder.</summary>
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

    /// <summary>The ports are ours to choose: a server that tells clients its address (Kafka) cannot stand behind a proxy.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
