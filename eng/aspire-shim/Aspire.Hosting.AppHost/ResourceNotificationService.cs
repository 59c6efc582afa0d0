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
            var after = stateFactory(_current.GetValueOrDefault(resource.Name)?.Snapshot
                ?? resource.Annotations.OfType<InitialSnapshotAnnotation>().LastOrDefault()?.Snapshot
                ?? new CustomResourceSnapshot { ResourceType = resource.GetType().Name, Properties = [] });
            if (after.State?.Text != KnownResourceStates.Running)
            {
                after = after with { HealthStatus = null, IsReady = false };
            }
            else if (after.HealthStatus is null)
            {
                after = after with { HealthStatus = HealthCheckKeys(resource).Any() ? HealthStatus.Unhealthy : HealthStatus.Healthy };
            }

            var update = _current[resource.Name] = new ResourceEvent(resource, resource.Name, after);
            _watchers.ForEach(watcher => watcher.Writer.TryWrite(update));
        }

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>();
        lock (_lock)
        {
            _current.Values.ToList().ForEach(known => channel.Writer.TryWrite(known));
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

    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
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

    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default)
        => WaitForResourceAsync(resourceName, update => update.Snapshot is { IsReady: true, HealthStatus: HealthStatus.Healthy }, cancellationToken);

    internal static IEnumerable<string> HealthCheckKeys(IResource resource)
        => resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key)
            .Concat(resource is IResourceWithParent child ? HealthCheckKeys(child.Parent) : []);
}
