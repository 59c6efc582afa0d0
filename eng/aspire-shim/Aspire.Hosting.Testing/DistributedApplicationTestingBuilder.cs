using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

public interface IDistributedApplicationTestingBuilder : IAsyncDisposable
{
    ConfigurationManager Configuration { get; }
    IServiceCollection Services { get; }
    IList<IResource> Resources { get; }
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

/// <summary>Runs the AppHost's own entry point on a thread, holds it before Build, and hands its builder to the test.</summary>
public static class DistributedApplicationTestingBuilder
{
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        var entryPoint = new RunningEntryPoint(typeof(TEntryPoint).Assembly, args);
        return new Builder(entryPoint, await entryPoint.Builder.Task.WaitAsync(cancellationToken));
    }

    private sealed class RunningEntryPoint
    {
        private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RunningEntryPoint(Assembly assembly, string[] args) => new Thread(() => Run(assembly, args)) { IsBackground = true }.Start();

        public TaskCompletionSource<IDistributedApplicationBuilder> Builder { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource MayBuild { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource<DistributedApplication> Built { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task StopAsync()
        {
            if (!MayBuild.TrySetException(new OperationCanceledException("The test disposed the builder.")) && Built.Task.IsCompletedSuccessfully && !_exited.Task.IsCompleted)
            {
                try
                {
                    Built.Task.Result.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
                }
                catch (ObjectDisposedException)
                {
                    // It is stopping by itself at this moment.
                }
            }

            await _exited.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }

        private void Run(Assembly assembly, string[] args)
        {
            Exception problem = new InvalidOperationException("The AppHost's entry point ended without a running application.");
            try
            {
                EntryPointHook.Current.Value = new EntryPointHook(
                    Creating: (options, settings) =>
                    {
                        options.DisableDashboard = true;
                        options.AssemblyName = settings.ApplicationName = assembly.GetName().Name;
                        settings.EnvironmentName = Environments.Development;
                        settings.Configuration = new ConfigurationManager();
                        settings.Configuration.AddInMemoryCollection([new("DcpPublisher:RandomizePorts", "true")]);
                    },
                    Building: builder =>
                    {
                        Builder.TrySetResult(builder);
                        MayBuild.Task.GetAwaiter().GetResult();
                    },
                    Built: app => Built.TrySetResult(app),
                    Started: () => Started.TrySetResult());
                assembly.EntryPoint!.Invoke(null, [args]);
            }
            catch (TargetInvocationException thrown)
            {
                problem = thrown.InnerException ?? thrown;
            }
            finally
            {
                Builder.TrySetException(problem);
                Built.TrySetException(problem);
                Started.TrySetException(problem);
                _exited.TrySetResult();
            }
        }
    }

    private sealed class Builder(RunningEntryPoint entryPoint, IDistributedApplicationBuilder inner) : IDistributedApplicationTestingBuilder
    {
        public ConfigurationManager Configuration => inner.Configuration;
        public IServiceCollection Services => inner.Services;
        public IList<IResource> Resources => inner.Resources;
        public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
        {
            entryPoint.MayBuild.TrySetResult();
            return new TestedApplication(entryPoint, await entryPoint.Built.Task.WaitAsync(cancellationToken));
        }

        public async ValueTask DisposeAsync() => await entryPoint.StopAsync();
    }

    private sealed class TestedApplication(RunningEntryPoint entryPoint, DistributedApplication inner) : DistributedApplication(inner)
    {
        public override Task StartAsync(CancellationToken cancellationToken = default) => entryPoint.Started.Task.WaitAsync(cancellationToken);
        public override Task StopAsync(CancellationToken cancellationToken = default) => entryPoint.StopAsync().WaitAsync(cancellationToken);
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
        => new(((IResourceWithEndpoints)Find(app, resourceName)).GetEndpoint(endpointName ?? "http").Url);

    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default)
        => ((IResourceWithConnectionString)Find(app, resourceName)).GetConnectionStringAsync(cancellationToken);

    private static IResource Find(DistributedApplication app, string name)
        => app.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(resource => resource.Name == name)
            ?? throw new ArgumentException($"There is no resource '{name}'.", nameof(name));
}
