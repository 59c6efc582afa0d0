using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public interface IResourceAnnotation;
public sealed class ResourceAnnotationCollection : Collection<IResourceAnnotation>;

public interface IResource
{
    string Name { get; }
    ResourceAnnotationCollection Annotations { get; }
}

public interface IResourceWithEnvironment : IResource;
public interface IResourceWithArgs : IResource;
public interface IResourceWithEndpoints : IResource;
public interface IResourceWithWaitSupport : IResource;
public interface IResourceWithoutLifetime : IResource;

public interface IResourceWithParent : IResource
{
    IResource Parent { get; }
}

public interface IResourceWithParent<out T> : IResourceWithParent
    where T : IResource
{
    new T Parent { get; }
    IResource IResourceWithParent.Parent => Parent;
}

public interface IValueProvider
{
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}

public interface IResourceWithConnectionString : IResource, IValueProvider
{
    ReferenceExpression ConnectionStringExpression { get; }
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default)
        => ConnectionStringExpression.GetValueAsync(cancellationToken);
    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => GetConnectionStringAsync(cancellationToken);
}

public interface IResourceBuilder<out T>
    where T : IResource
{
    T Resource { get; }
    IDistributedApplicationBuilder ApplicationBuilder { get; }
}

public class ReferenceExpression : IValueProvider
{
    private readonly List<object> _parts;

    private ReferenceExpression(List<object> parts) => _parts = parts;

    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => new(handler.Parts);

    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var value = new StringBuilder();
        foreach (var part in _parts)
        {
            value.Append(part is IValueProvider provider ? await provider.GetValueAsync(cancellationToken) : part);
        }

        return value.ToString();
    }

    [InterpolatedStringHandler]
    public readonly ref struct ExpressionInterpolatedStringHandler(int literalLength, int formattedCount)
    {
        internal List<object> Parts { get; } = new(literalLength > 0 ? formattedCount * 2 : formattedCount);
        public void AppendLiteral(string value) => Parts.Add(value);
        public void AppendFormatted(string? value) => Parts.Add(value ?? "");
        public void AppendFormatted<T>(T valueProvider)
            where T : IValueProvider => Parts.Add(valueProvider);
    }
}

public abstract class Resource(string name) : IResource
{
    public virtual string Name { get; } = name;
    public virtual ResourceAnnotationCollection Annotations { get; } = [];
}

public class ExecutableResource(string name, string command, string workingDirectory)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    public string Command { get; } = command;
    public string WorkingDirectory { get; } = workingDirectory;
}

public class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithServiceDiscovery;

// Declared, so that the containers branch compiles; the orchestrator refuses to start them.
public class ContainerResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport;

public class ParameterResource(string name, string value, bool secret) : Resource(name), IResourceWithoutLifetime, IValueProvider
{
    public bool Secret { get; } = secret;
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<string?>(value);
}

public sealed class EndpointAnnotation : IResourceAnnotation
{
    public required string Name { get; set; }
    public required string UriScheme { get; set; }
    public int? Port { get; set; }
    public int? TargetPort { get; set; }
    public bool IsProxied { get; set; } = true;
    internal int? AllocatedPort { get; set; }
}

public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IValueProvider
{
    private EndpointAnnotation Annotation => owner.Annotations.OfType<EndpointAnnotation>().Single(endpoint => endpoint.Name == EndpointName);
    public string EndpointName { get; } = endpointName;
    public string Host { get; } = "localhost";
    public int Port => Annotation.AllocatedPort ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' of '{owner.Name}' has no address yet.");
    public string Url => $"{Annotation.UriScheme}://{Host}:{Port}";
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<string?>(Url);
    public EndpointReferenceExpression Property(EndpointProperty property) => property == EndpointProperty.HostAndPort ? new(this) : throw new NotSupportedException();
}

public enum EndpointProperty
{
    HostAndPort,
}

public class EndpointReferenceExpression(EndpointReference endpoint) : IValueProvider
{
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<string?>($"{endpoint.Host}:{endpoint.Port}");
}

public class EnvironmentCallbackContext
{
    public Dictionary<string, object> EnvironmentVariables { get; } = [];
}

internal sealed record EnvironmentCallbackAnnotation(Action<EnvironmentCallbackContext> Callback) : IResourceAnnotation;
internal sealed record ArgumentsAnnotation(string[] Arguments) : IResourceAnnotation;
internal sealed record WaitAnnotation(IResource Resource) : IResourceAnnotation;
internal sealed record HealthCheckAnnotation(string Key) : IResourceAnnotation;
internal sealed record InitialSnapshotAnnotation(CustomResourceSnapshot Snapshot) : IResourceAnnotation;
internal sealed record EventCallbackAnnotation<TEvent>(Func<TEvent, CancellationToken, Task> Callback) : IResourceAnnotation;

public record BeforeResourceStartedEvent(IResource Resource, IServiceProvider Services);
public record ResourceReadyEvent(IResource Resource, IServiceProvider Services);
public record ResourceEvent(IResource Resource, string ResourceId, CustomResourceSnapshot Snapshot);
public record DistributedApplicationModel(IEnumerable<IResource> Resources);

public static class KnownResourceStates
{
    public static readonly string Starting = nameof(Starting);
    public static readonly string Running = nameof(Running);
    public static readonly string Waiting = nameof(Waiting);
    public static readonly string Exited = nameof(Exited);
    public static readonly string FailedToStart = nameof(FailedToStart);
}

public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? text) => text is null ? null : new(text, null);
}

public sealed record ResourcePropertySnapshot(string Name, object? Value);

public sealed record CustomResourceSnapshot
{
    public required string ResourceType { get; init; }
    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }
    public ResourceStateSnapshot? State { get; init; }
    public int? ExitCode { get; init; }
    public HealthStatus? HealthStatus { get; internal init; }
    internal bool IsReady { get; init; }
    internal bool HasEnded => State?.Text == KnownResourceStates.Exited || State?.Text == KnownResourceStates.FailedToStart;
}
