using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public class ResourceNotificationService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Channel<ResourceEvent>> _watchers = [];

    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        lock (_lock)
        {
            var before = _current.GetValueOrDefault(resource.Name)?.Snapshot
                ?? resource.Annotations.OfType<InitialSnapshotAnnotation>().LastOrDefault()?.Snapshot
                ?? new CustomResourceSnapshot { ResourceType = resource.GetType().Name, Properties = [] };
            var after = stateFactory(before);
            if (after.State?.Text != KnownResourceStates.Running)
            {
                after = after with { HealthStatus = null, IsReady = false };
            }
            else if (after.HealthStatus is null)
            {
                after = after with { HealthStatus = HasChecks(resource) ? HealthStatus.Unhealthy : HealthStatus.Healthy };
            }

            var update = _current[resource.Name] = new ResourceEvent(resource, resource.Name, after);
            _watchers.ForEach(watcher => watcher.Writer.TryWrite(update));
        }

        return Task.CompletedTask;
    }

    public bool TryGetCurrentState(string resourceId, out ResourceEvent? resourceEvent)
    {
        lock (_lock)
        {
            return _current.TryGetValue(resourceId, out resourceEvent);
        }
    }

    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>();
        lock (_lock)
        {
            foreach (var known in _current.Values)
            {
                channel.Writer.TryWrite(known);
            }

            _watchers.Add(channel);
        }

        try
        {
            await foreach (var update in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return update;
            }
        }
        finally
        {
            lock (_lock)
            {
                _watchers.Remove(channel);
            }
        }
    }

    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default)
        => WaitForResourceAsync(resourceName, update => update.Snapshot.State?.Text == (targetState ?? KnownResourceStates.Running), cancellationToken);

    public async Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var update in WatchAsync(cancellationToken))
        {
            if (string.Equals(update.Resource.Name, resourceName, StringComparison.OrdinalIgnoreCase) && predicate(update))
            {
                return update;
            }
        }

        throw new OperationCanceledException($"Waiting for '{resourceName}' was given up.");
    }

    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default)
        => await WaitForResourceAsync(
            resourceName, update => update.Snapshot is { IsReady: true, HealthStatus: HealthStatus.Healthy }, cancellationToken);

    /// <summary>Waits until a dependency is ready, or throws when it ended instead.</summary>
    internal async Task WaitForDependencyAsync(IResource resource, IResource dependency, CancellationToken cancellationToken)
    {
        var update = await WaitForResourceAsync(dependency.Name, e => e.Snapshot.IsReady || HasEnded(e.Snapshot), cancellationToken);
        if (HasEnded(update.Snapshot))
        {
            throw new DistributedApplicationException($"'{resource.Name}' cannot start: '{dependency.Name}' is {update.Snapshot.State?.Text}.");
        }
    }

    internal static IEnumerable<string> HealthCheckKeys(IResource resource)
        => resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key)
            .Concat(resource is IResourceWithParent child ? HealthCheckKeys(child.Parent) : []);

    private static bool HasChecks(IResource resource) => HealthCheckKeys(resource).Any();

    private static bool HasEnded(CustomResourceSnapshot snapshot)
        => snapshot.State?.Text is { } state && (state == KnownResourceStates.Exited || state == KnownResourceStates.FailedToStart);
}
