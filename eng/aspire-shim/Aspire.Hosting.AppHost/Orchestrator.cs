using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>Starts the resources of the model as local processes: order by WaitFor, health checks, no proxy, no automatic restart.</summary>
internal sealed partial class Orchestrator(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    HealthCheckService healthChecks,
    Watchdog watchdog,
    Dashboard dashboard,
    IConfiguration configuration,
    IHostEnvironment environment,
    IServiceProvider services,
    ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (ManagedProcess Process, Task Watch)> _running = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _log = loggers.CreateLogger("Aspire.Hosting.DistributedApplication");
    private readonly bool _hosted = EntryPointHook.Current.Value is not null;
    private readonly Lock _console = new();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (model.Resources.OfType<ContainerResource>().FirstOrDefault() is { } container)
        {
            throw new DistributedApplicationException($"'{container.Name}' is a container; the Aspire shim runs local processes only.");
        }

        var randomize = configuration.GetValue<bool>("DcpPublisher:RandomizePorts");
        foreach (var endpoint in model.Resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>()))
        {
            endpoint.AllocatedPort = endpoint.TargetPort ?? (randomize && endpoint.IsProxied ? null : endpoint.Port) ?? FreePort();
        }

        await dashboard.StartAsync(cancellationToken);
        await Task.WhenAll(model.Resources.Select(resource => StartWhenReadyAsync(resource, cancellationToken)));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(model.Resources.OfType<ProjectResource>().Select(StopProcessAsync));
        await Task.WhenAll(model.Resources.Select(StopProcessAsync).Append(dashboard.StopAsync()));
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    public async Task StopProcessAsync(IResource resource)
    {
        if (_running.TryRemove(resource.Name, out var running))
        {
            await running.Process.StopAsync();
            await running.Watch;
        }
    }

    public async Task StartProcessAsync(IResource resource, CancellationToken cancellationToken)
    {
        await StopProcessAsync(resource);
        await RaiseAsync(resource, new BeforeResourceStartedEvent(resource, services), cancellationToken);
        var process = await LaunchAsync(resource, cancellationToken);
        await notifications.PublishUpdateAsync(resource, before => before with
        {
            State = KnownResourceStates.Running,
            ExitCode = null,
            Properties = [new ResourcePropertySnapshot("executable.pid", process.Id)],
        });
        _running[resource.Name] = (process, WatchAsync(resource, process));
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StartWhenReadyAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            _ = MonitorHealthAsync(resource);
            await notifications.PublishUpdateAsync(resource, before => resource is IResourceWithoutLifetime ? before with { State = KnownResourceStates.Running } : before);
            if (resource is not (ExecutableResource or ProjectResource))
            {
                return;
            }

            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.Waiting });
            foreach (var dependency in resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).Where(other => other is not IResourceWithoutLifetime))
            {
                var update = await notifications.WaitForResourceAsync(dependency.Name, e => e.Snapshot.IsReady || e.Snapshot.HasEnded, cancellationToken);
                if (update.Snapshot.HasEnded)
                {
                    throw new DistributedApplicationException($"it waits for '{dependency.Name}', which is {update.Snapshot.State?.Text}.");
                }
            }

            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.Starting });
            await StartProcessAsync(resource, cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            await FailAsync(resource, problem);
        }
    }

    private async Task<ManagedProcess> LaunchAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext();
        if (resource is ProjectResource project)
        {
            context.EnvironmentVariables["ASPNETCORE_URLS"] =
                string.Join(';', project.Annotations.OfType<EndpointAnnotation>().Select(endpoint => project.GetEndpoint(endpoint.Name).Url));
            dashboard.AddTelemetryEnvironment(resource.Name, environment, context.EnvironmentVariables);
        }

        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            annotation.Callback(context);
        }

        var variables = new Dictionary<string, string>();
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            variables[name] = value is IValueProvider provider ? await provider.GetValueAsync(cancellationToken) ?? "" : $"{value}";
        }

        var arguments = resource.Annotations.OfType<ArgumentsAnnotation>().SelectMany(annotation => annotation.Arguments);
        if (resource is ExecutableResource executable)
        {
            return ManagedProcess.Start(executable.Command, arguments, executable.WorkingDirectory, variables, watchdog, line => Print(resource.Name, line));
        }

        var metadata = resource.Annotations.OfType<IProjectMetadata>().Single();
        return ManagedProcess.Start(
            "dotnet", [metadata.OutputPath, .. arguments], Path.GetDirectoryName(metadata.ProjectPath)!, variables, watchdog, line => Print(resource.Name, line));
    }

    private async Task WatchAsync(IResource resource, ManagedProcess process)
    {
        var exitCode = await process.Exited;
        if (!_stopping.IsCancellationRequested)
        {
            LogEnded(resource.Name, exitCode);
        }

        await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.Exited, ExitCode = exitCode });
    }

    private async Task MonitorHealthAsync(IResource resource)
    {
        var keys = ResourceNotificationService.HealthCheckKeys(resource).ToHashSet();
        try
        {
            while (true)
            {
                var running = await notifications.WaitForResourceAsync(
                    resource.Name, update => update.Snapshot.State?.Text == KnownResourceStates.Running, _stopping.Token);
                var status = keys.Count == 0
                    ? HealthStatus.Healthy
                    : (await healthChecks.CheckHealthAsync(check => keys.Contains(check.Name), _stopping.Token)).Status;
                var healthy = status == HealthStatus.Healthy;
                if (healthy && !running.Snapshot.IsReady)
                {
                    await RaiseAsync(resource, new ResourceReadyEvent(resource, services), _stopping.Token);
                }

                await notifications.PublishUpdateAsync(resource, before => before with { HealthStatus = status, IsReady = before.IsReady || healthy });

                // Rarely while all is well (as the real one), but at once when it stops running.
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                pause.CancelAfter(healthy ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(200));
                await notifications.WaitForResourceAsync(
                    resource.Name, update => update.Snapshot.State?.Text != KnownResourceStates.Running, pause.Token)
                    .ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
        catch (Exception problem)
        {
            if (!_stopping.IsCancellationRequested)
            {
                await FailAsync(resource, problem);
            }
        }
    }

    private Task FailAsync(IResource resource, Exception problem)
    {
        LogFailed(resource.Name, problem.Message);
        return notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.FailedToStart });
    }

    private static async Task RaiseAsync<TEvent>(IResource resource, TEvent raised, CancellationToken cancellationToken)
    {
        foreach (var subscription in resource.Annotations.OfType<EventCallbackAnnotation<TEvent>>().ToList())
        {
            await subscription.Callback(raised, cancellationToken);
        }
    }

    private void Print(string resource, string line)
    {
        if (_hosted)
        {
            LogLine(loggers.CreateLogger($"{environment.ApplicationName}.Resources.{resource}"), line);
            return;
        }

        lock (_console)
        {
            Console.WriteLine($"{resource,-14}| {line}");
        }
    }

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void LogLine(ILogger logger, string line);

    [LoggerMessage(LogLevel.Warning, "{Resource} ended with exit code {ExitCode}; nothing restarts it.")]
    private partial void LogEnded(string resource, int exitCode);

    [LoggerMessage(LogLevel.Error, "{Resource} does not run: {Problem}")]
    private partial void LogFailed(string resource, string problem);
}
