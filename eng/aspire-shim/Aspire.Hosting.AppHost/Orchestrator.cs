using System.Collections.Concurrent;
using System.Globalization;
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
    private readonly ConcurrentDictionary<string, ManagedProcess> _processes = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _log = loggers.CreateLogger("Aspire.Hosting.DistributedApplication");
    private readonly bool _hosted = EntryPointHook.Current.Value is not null;
    private readonly Lock _console = new();
    private int _stopped;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (model.Resources.OfType<ContainerResource>().FirstOrDefault() is { } container)
        {
            throw new DistributedApplicationException($"'{container.Name}' is a container; the Aspire shim runs local processes only.");
        }

        AllocatePorts();
        await dashboard.StartAsync(cancellationToken);
        await Task.WhenAll(model.Resources.Select(resource => StartWhenReadyAsync(resource, cancellationToken)));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 1)
        {
            return;
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(model.Resources.OfType<ProjectResource>().Select(StopProcessAsync));
        await Task.WhenAll(model.Resources.Select(StopProcessAsync).Append(dashboard.StopAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
    }

    public async Task StopProcessAsync(IResource resource)
    {
        if (_processes.TryRemove(resource.Name, out var process))
        {
            await process.StopAsync();
        }
    }

    public async Task StartProcessAsync(IResource resource, CancellationToken cancellationToken)
    {
        await RaiseAsync(resource, new BeforeResourceStartedEvent(resource, services), cancellationToken);
        var process = await LaunchAsync(resource, cancellationToken);
        _processes[resource.Name] = process;
        await notifications.PublishUpdateAsync(resource, before => before with
        {
            State = KnownResourceStates.Running,
            ExitCode = null,
            Properties = [new ResourcePropertySnapshot("executable.pid", process.Id)],
        });
        _ = WatchAsync(resource, process);
    }

    private async Task StartWhenReadyAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            _ = MonitorHealthAsync(resource);
            await notifications.PublishUpdateAsync(resource, before => before);
            if (resource is not (ExecutableResource or ProjectResource))
            {
                return;
            }

            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.Waiting });
            foreach (var wait in resource.Annotations.OfType<WaitAnnotation>().Where(wait => wait.Resource is not IResourceWithoutLifetime))
            {
                await notifications.WaitForDependencyAsync(resource, wait.Resource, cancellationToken);
            }

            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.Starting });
            await StartProcessAsync(resource, cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            LogFailed(resource.Name, problem.Message);
            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.FailedToStart });
        }
    }

    private async Task<ManagedProcess> LaunchAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext();
        if (resource is ProjectResource project)
        {
            var urls = project.Annotations.OfType<EndpointAnnotation>().Select(endpoint => new EndpointReference(project, endpoint.Name).Url);
            context.EnvironmentVariables["ASPNETCORE_URLS"] = string.Join(';', urls);
            foreach (var (name, value) in dashboard.TelemetryEnvironment(resource.Name, configuration, environment))
            {
                context.EnvironmentVariables[name] = value;
            }
        }

        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            annotation.Callback(context);
        }

        var variables = new Dictionary<string, string>();
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            variables[name] = await TextAsync(value, cancellationToken);
        }

        var arguments = new List<string>();
        foreach (var argument in resource.Annotations.OfType<ArgumentsAnnotation>().SelectMany(annotation => annotation.Arguments))
        {
            arguments.Add(await TextAsync(argument, cancellationToken));
        }

        var (command, directory) = resource switch
        {
            ExecutableResource executable => (executable.Command, executable.WorkingDirectory),
            _ => ("dotnet", Path.GetDirectoryName(Metadata(resource).ProjectPath)!),
        };
        if (resource is ProjectResource)
        {
            arguments.Insert(0, Metadata(resource).OutputPath);
        }

        return ManagedProcess.Start(command, arguments, directory, variables, watchdog, line => Print(resource.Name, line));
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
            for (var healthy = false; !_stopping.IsCancellationRequested;)
            {
                var running = await notifications.WaitForResourceAsync(
                    resource.Name, update => update.Snapshot.State?.Text == KnownResourceStates.Running, _stopping.Token);
                var status = keys.Count == 0
                    ? HealthStatus.Healthy
                    : (await healthChecks.CheckHealthAsync(check => keys.Contains(check.Name), _stopping.Token)).Status;
                if (status == HealthStatus.Healthy && !running.Snapshot.IsReady)
                {
                    await RaiseAsync(resource, new ResourceReadyEvent(resource, services), _stopping.Token);
                }

                healthy = status == HealthStatus.Healthy;
                await notifications.PublishUpdateAsync(resource, before => before.State?.Text == KnownResourceStates.Running
                    ? before with { HealthStatus = status, IsReady = before.IsReady || healthy }
                    : before);
                await Task.Delay(healthy ? TimeSpan.FromSeconds(5) : TimeSpan.FromMilliseconds(200), _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The application stops.
        }
        catch (Exception problem)
        {
            LogFailed(resource.Name, problem.Message);
            await notifications.PublishUpdateAsync(resource, before => before with { State = KnownResourceStates.FailedToStart });
        }
    }

    private void AllocatePorts()
    {
        var randomize = configuration.GetValue<bool>("DcpPublisher:RandomizePorts");
        foreach (var endpoint in model.Resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>()))
        {
            var fixedPort = endpoint.TargetPort ?? (randomize && endpoint.IsProxied ? null : endpoint.Port);
            endpoint.AllocatedPort = fixedPort ?? FreePort();
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task RaiseAsync<TEvent>(IResource resource, TEvent raised, CancellationToken cancellationToken)
    {
        foreach (var subscription in resource.Annotations.OfType<EventCallbackAnnotation<TEvent>>().ToList())
        {
            await subscription.Callback(raised, cancellationToken);
        }
    }

    private static async Task<string> TextAsync(object value, CancellationToken cancellationToken)
        => value is IValueProvider provider
            ? await provider.GetValueAsync(cancellationToken) ?? ""
            : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static IProjectMetadata Metadata(IResource resource) => resource.Annotations.OfType<IProjectMetadata>().Single();

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

    [LoggerMessage(LogLevel.Error, "{Resource}: {Problem}")]
    private partial void LogFailed(string resource, string problem);
}
