using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace OrderInventory.TestSupport;

/// <summary>Runs the AppHost inside the test's process, on free ports, without a dashboard unless requested; dispose stops everything.</summary>
public sealed class AppHostRunner : IAsyncDisposable
{
    // Generous: on a machine that builds something else at the same time, six services start slowly.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);
    private readonly IDistributedApplicationTestingBuilder _builder;

    private AppHostRunner(IDistributedApplicationTestingBuilder builder, DistributedApplication app)
    {
        _builder = builder;
        App = app;
    }

    public DistributedApplication App { get; }

    private DistributedApplicationModel Model => App.Services.GetRequiredService<DistributedApplicationModel>();

    /// <param name="args">As on the command line: <c>--Infrastructure:Only=true</c>, <c>--Orders:StockCheck=None</c> …</param>
    /// <param name="configure">A last change to the model before it is built.</param>
    /// <param name="dashboard">With Aspire's dashboard, which keeps the services' traces (<see cref="DashboardTelemetry"/>).</param>
    public static async Task<AppHostRunner> StartAsync(string[] args, Action<IDistributedApplicationTestingBuilder>? configure = null, bool dashboard = false)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.OrderInventory_AppHost>(
            new DistributedApplicationTestingBuilderOptions { EnableDashboard = dashboard }, args, timeout.Token);
        try
        {
            configure?.Invoke(builder);
            var app = await builder.BuildAsync(timeout.Token);
            await app.StartAsync(timeout.Token);
            return new AppHostRunner(builder, app);
        }
        catch
        {
            await builder.DisposeAsync();
            throw;
        }
    }

    public async Task<string> ConnectionStringAsync(string resource)
        => await App.GetConnectionStringAsync(resource) ?? throw new InvalidOperationException($"{resource} has no connection string.");

    public async Task WaitUntilHealthyAsync(string resource)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await App.ResourceNotifications.WaitForResourceHealthyAsync(resource, timeout.Token);
    }

    /// <summary>A client of the gateway with the token of one of the development issuer's staff: <c>admin</c>, <c>support</c> …</summary>
    public async Task<HttpClient> CreateClientAsync(string role = "admin")
    {
        var client = App.CreateHttpClient("gateway", "http");
        using var timeout = new CancellationTokenSource(Timeout);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await Issuer.TokenAsync(AppHost.DevelopmentIssuer.Staff[role], timeout.Token));
        return client;
    }

    /// <summary>A client of the gateway with one customer's token.</summary>
    public async Task<HttpClient> CreateCustomerClientAsync(Guid customer)
    {
        var client = App.CreateHttpClient("gateway", "http");
        using var timeout = new CancellationTokenSource(Timeout);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await Issuer.TokenAsync("demo-customer", timeout.Token, customer));
        return client;
    }

    /// <summary>The secret with which one of the demo shop's people signs in: <c>demo-admin</c>, <c>demo-support</c> …</summary>
    public string SecretOf(string person) => Issuer.Clients[person];

    private AppHost.DevelopmentIssuer Issuer => App.Services.GetRequiredService<AppHost.DevelopmentIssuer>();

    /// <summary>True for what runs as its own process or container; librdkafka's mock broker lives inside the AppHost and can't be stopped.</summary>
    public bool CanStop(string resource) => Model.Resources.Any(known => known.Name == resource && known is ExecutableResource or ContainerResource or ProjectResource);

    /// <summary>False for librdkafka's mock broker: no CreateTopics, no static membership, four partitions, and it cannot be stopped.</summary>
    public bool KafkaIsReal => !Model.Resources.Any(known => known.Name == "kafka" && known is AppHost.Infrastructure.EmbeddedPlace);

    /// <summary>An orderly stop.</summary>
    public async Task StopAsync(string resource)
    {
        await App.ResourceCommands.ExecuteCommandAsync(resource, KnownResourceCommands.StopCommand);
        await WaitUntilStoppedAsync(resource);
    }

    /// <summary>kill -9: nothing is flushed, nothing is reported.</summary>
    public async Task KillAsync(string resource)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var running = await App.ResourceNotifications.WaitForResourceAsync(
            resource, update => update.Snapshot.State?.Text == KnownResourceStates.Running && (ProcessId(update) ?? ContainerId(update)) is not null, timeout.Token);
        var (command, arguments) = ProcessId(running) is { } process
            ? ("kill", new[] { "-s", "KILL", process })
            : (Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME") ?? "docker", ["kill", ContainerId(running)!]);
        using (var kill = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true })!)
        {
            await kill.WaitForExitAsync(timeout.Token);
        }

        await WaitUntilStoppedAsync(resource);
    }

    /// <summary>Starts the resource again, on the same address with the same data, and waits until it is healthy.</summary>
    public async Task StartAsync(string resource)
    {
        await App.ResourceCommands.ExecuteCommandAsync(resource, KnownResourceCommands.StartCommand);
        using var timeout = new CancellationTokenSource(Timeout);
        // A container's old state, "failed to start", is seen once more before the new one, so the wait must not stop at it.
        await App.ResourceNotifications.WaitForResourceHealthyAsync(resource, WaitBehavior.WaitOnResourceUnavailable, timeout.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await _builder.DisposeAsync();
    }

    private async Task WaitUntilStoppedAsync(string resource)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await App.ResourceNotifications.WaitForResourceAsync(
            resource, update => update.Snapshot.State?.Text is { } state && state != KnownResourceStates.Running, timeout.Token);
    }

    private static string? ProcessId(ResourceEvent update) => Property(update, "executable.pid");

    private static string? ContainerId(ResourceEvent update) => Property(update, "container.id");

    private static string? Property(ResourceEvent update, string name)
        => Convert.ToString(update.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value, CultureInfo.InvariantCulture) is { Length: > 0 } value ? value : null;
}
