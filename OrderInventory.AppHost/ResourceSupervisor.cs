using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OrderInventory.AppHost;

internal static class ResourceSupervisorExtensions
{
    public static void AddSupervision(this IDistributedApplicationBuilder builder, AppHostSettings settings)
    {
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<ResourceSupervisor>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ResourceSupervisor>());
    }
}

/// <summary>
/// Reports resources that end or cannot start, with the reason. A process that crashed or ended by itself is restarted, up to three times a minute;
/// before the system is ready for the first time, a resource that stays down ends the start with an error. At shutdown it stops the services before
/// the servers that they need.
/// </summary>
internal sealed partial class ResourceSupervisor(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    ResourceCommandService commands,
    IHostApplicationLifetime application,
    AppHostSettings settings) : IHostedLifecycleService
{
    private const int MaxRestarts = 3;
    private static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, string?> _states = [];
    private readonly Dictionary<string, Queue<DateTimeOffset>> _restarts = [];
    private Task _watching = Task.CompletedTask;
    private volatile bool _wasReady;

    /// <summary>From now on a resource that stays down is reported, but does not end the system.</summary>
    public void SystemIsReady() => _wasReady = true;

    /// <summary>What a resource that is not healthy yet is doing.</summary>
    public string StateOf(string resource)
        => notifications.TryGetCurrentState(resource, out var current) && current.Snapshot.State?.Text is { Length: > 0 } state ? state : "not started";

    // Hosted services start after Aspire has created every resource; only StartingAsync runs early enough to see failures before that.
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _watching = WatchAsync();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Stops the services first: Aspire signals all resources at the same time, and services would lose Kafka and the database during their work.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Already requested, except where a test stops the host itself.
        application.StopApplication();
        await _watching;
        var services = model.Resources.OfType<ProjectResource>().Where(service => StateOf(service.Name) == KnownResourceStates.Running).ToList();
        foreach (var wave in services.GroupBy(service => service.Name == "gateway").OrderByDescending(wave => wave.Key))
        {
            await Task.WhenAll(wave.Select(service => commands.ExecuteCommandAsync(service, KnownResourceCommands.StopCommand, cancellationToken)));
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(application.ApplicationStopping))
            {
                // Resources that waited for one that stays down fail too, and such events are still delivered during the stop. They are not reported.
                application.ApplicationStopping.ThrowIfCancellationRequested();
                if (change.Snapshot.IsHidden)
                {
                    // Aspire's own resources, such as the rebuilder of a project, which normally ends.
                    continue;
                }

                var (before, now) = (_states.GetValueOrDefault(change.ResourceId), change.Snapshot.State?.Text);
                _states[change.ResourceId] = now;
                if (now != before && (KnownResourceStates.TerminalStates.Contains(now) || now == KnownResourceStates.RuntimeUnhealthy))
                {
                    await EndedAsync(change, before == KnownResourceStates.Stopping);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The system stops.
        }
    }

    private async Task EndedAsync(ResourceEvent change, bool wasRequested)
    {
        var name = change.Resource.Name;
        var state = change.Snapshot.State?.Text;
        // A service that ends by itself is treated like a crashed one, whatever its exit code, because it should run.
        var mayRestart = state is not null && state != KnownResourceStates.FailedToStart && state != KnownResourceStates.RuntimeUnhealthy;
        var crashed = mayRestart && change.Snapshot.ExitCode is not (null or 0);
        if (wasRequested)
        {
            Console.WriteLine($"{name} was stopped. Start it with 'aspire resource {name} start' or on the dashboard.");
            return;
        }

        var how = crashed ? string.Create(CultureInfo.InvariantCulture, $"crashed or was killed (exit code {change.Snapshot.ExitCode})")
            : state == KnownResourceStates.RuntimeUnhealthy ? "cannot start: the container runtime does not answer"
            : state == KnownResourceStates.FailedToStart ? "cannot start"
            : "has ended";
        Console.Error.WriteLine($"{name} {how}.{await LastLinesAsync(change.ResourceId)}");
        if (mayRestart && settings.RestartsCrashed && MayRestart(change.ResourceId, out var attempt))
        {
            Console.Error.WriteLine($"{name} is restarted ({attempt} of at most {MaxRestarts} times a minute).");
            _ = RestartAsync(change.Resource, attempt);
        }
        else if (_wasReady)
        {
            Console.Error.WriteLine($"{name} stays down. When the cause is fixed, start it with 'aspire resource {name} start' or on the dashboard.");
        }
        else if (settings.RestartsCrashed)
        {
            Console.Error.WriteLine($"The system cannot start without {name}, so it is stopped. 'aspire logs {name}' shows more while it runs.");
            Environment.ExitCode = 1;
            application.StopApplication();
        }
    }

    private bool MayRestart(string resource, out int attempt)
    {
        var times = _restarts.TryGetValue(resource, out var known) ? known : _restarts[resource] = [];
        var now = TimeProvider.System.GetUtcNow();
        while (times.TryPeek(out var oldest) && now - oldest > RestartWindow)
        {
            times.Dequeue();
        }

        times.Enqueue(now);
        attempt = times.Count;
        return attempt <= MaxRestarts;
    }

    private async Task RestartAsync(IResource resource, int attempt)
    {
        try
        {
            // What occupies its port, or prevents its start, may have ended a moment later.
            await Task.Delay(TimeSpan.FromSeconds(attempt), application.ApplicationStopping);
            await commands.ExecuteCommandAsync(resource, KnownResourceCommands.StartCommand, application.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            // The system stops.
        }
    }

    private async Task<string> LastLinesAsync(string resource)
    {
        var lines = new List<string>();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(application.ApplicationStopping);
        timeout.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await foreach (var batch in logs.GetAllAsync(resource).WithCancellation(timeout.Token))
            {
                lines.AddRange(batch.OrderBy(line => line.LineNumber).Select(line => Plain(line.Content)).Where(line => !line.StartsWith("[sys]", StringComparison.Ordinal)));
            }
        }
        catch (OperationCanceledException)
        {
            // The lines received so far are used.
        }

        // The timestamp before each line and its colours are for the dashboard.
        static string Plain(string line) => Escapes().Replace(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..], "");

        return lines.Count == 0 ? "" : $" Its last lines of output:\n{string.Join('\n', lines.TakeLast(8).Select(line => "    " + line))}";
    }

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Escapes();
}
