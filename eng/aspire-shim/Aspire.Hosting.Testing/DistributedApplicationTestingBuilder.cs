using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

/// <summary>Runs the AppHost's own entry point on a thread, stops it before Build, and hands its builder to the test.</summary>
public static class DistributedApplicationTestingBuilder
{
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>([], cancellationToken);

    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        var entryPoint = new RunningEntryPoint(typeof(TEntryPoint).Assembly, args);
        return new Builder(entryPoint, await entryPoint.BuilderTask.WaitAsync(cancellationToken));
    }

    private sealed class RunningEntryPoint
    {
        private readonly TaskCompletionSource<IDistributedApplicationBuilder> _builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<DistributedApplication> _app = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _mayBuild = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RunningEntryPoint(Assembly assembly, string[] args)
            => new Thread(() => Run(assembly, args)) { IsBackground = true, Name = "AppHost entry point" }.Start();

        public Task<IDistributedApplicationBuilder> BuilderTask => _builder.Task;

        public Task Started => _started.Task;

        public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
        {
            _mayBuild.TrySetResult();
            return _app.Task.WaitAsync(cancellationToken);
        }

        public async Task StopAsync()
        {
            if (_mayBuild.TrySetException(new OperationCanceledException("The test disposed the builder.")))
            {
                await _exited.Task;
                return;
            }

            if (_app.Task.IsCompletedSuccessfully)
            {
                try
                {
                    _app.Task.Result.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
                }
                catch (ObjectDisposedException)
                {
                    // It stopped by itself, for example because it could not start.
                }
            }

            await _exited.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }

        private void Run(Assembly assembly, string[] args)
        {
            Exception problem = new InvalidOperationException("The AppHost's entry point ended without a running application.");
            try
            {
                EntryPointHook.Current.Value = new EntryPointHook
                {
                    Creating = (options, settings) =>
                    {
                        options.DisableDashboard = true;
                        options.AssemblyName = settings.ApplicationName = assembly.GetName().Name;
                        settings.EnvironmentName = Environments.Development;
                        settings.Configuration = new ConfigurationManager();
                        settings.Configuration.AddInMemoryCollection([new("DcpPublisher:RandomizePorts", "true")]);
                    },
                    Building = builder =>
                    {
                        _builder.TrySetResult(builder);
                        _mayBuild.Task.GetAwaiter().GetResult();
                    },
                    Built = app => _app.TrySetResult(app),
                    Started = () => _started.TrySetResult(),
                };
                assembly.EntryPoint!.Invoke(null, assembly.EntryPoint.GetParameters().Length == 0 ? [] : [args]);
            }
            catch (TargetInvocationException thrown)
            {
                problem = thrown.InnerException ?? thrown;
            }
            finally
            {
                _builder.TrySetException(problem);
                _app.TrySetException(problem);
                _started.TrySetException(problem);
                _exited.TrySetResult();
            }
        }
    }

    private sealed class Builder(RunningEntryPoint entryPoint, IDistributedApplicationBuilder inner) : IDistributedApplicationTestingBuilder
    {
        public ConfigurationManager Configuration => inner.Configuration;
        public string AppHostDirectory => inner.AppHostDirectory;
        public IHostEnvironment Environment => inner.Environment;
        public IServiceCollection Services => inner.Services;
        public DistributedApplicationExecutionContext ExecutionContext => inner.ExecutionContext;
        public IList<IResource> Resources => inner.Resources;
        public IResourceBuilder<T> AddResource<T>(T resource)
            where T : IResource => inner.AddResource(resource);
        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
            where T : IResource => inner.CreateResourceBuilder(resource);
        public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();
        public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
            => new TestedApplication(entryPoint, await entryPoint.BuildAsync(cancellationToken));
        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
        public async ValueTask DisposeAsync() => await entryPoint.StopAsync();
    }

    private sealed class TestedApplication(RunningEntryPoint entryPoint, DistributedApplication inner) : DistributedApplication(inner)
    {
        public override Task StartAsync(CancellationToken cancellationToken = default) => entryPoint.Started.WaitAsync(cancellationToken);
        public override Task StopAsync(CancellationToken cancellationToken = default) => entryPoint.StopAsync().WaitAsync(cancellationToken);
        public override Task RunAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("Use StartAsync in a test.");
        public override async ValueTask DisposeAsync()
        {
            await entryPoint.StopAsync();
            await base.DisposeAsync();
        }
    }
}

public static class DistributedApplicationHostingTestingExtensions
{
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.BaseAddress = app.GetEndpoint(resourceName, endpointName);
        return client;
    }

    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
        => Find(app, resourceName) is IResourceWithEndpoints resource
            ? new Uri(resource.GetEndpoint(endpointName ?? "http").Url)
            : throw new ArgumentException($"'{resourceName}' has no endpoints.", nameof(resourceName));

    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default)
        => Find(app, resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"'{resourceName}' has no connection string.", nameof(resourceName));

    private static IResource Find(DistributedApplication app, string name)
        => app.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(resource => resource.Name == name)
            ?? throw new ArgumentException($"There is no resource '{name}'.", nameof(name));
}
