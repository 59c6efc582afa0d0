using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Garnet, a server that speaks Redis' protocol, from the .NET tool that .config/dotnet-tools.json pins.</summary>
internal sealed class EmbeddedRedis
{
    private const string Tool = "garnet-server";
    private const string Version = "2.2.8";
    private readonly IDistributedApplicationBuilder _builder;
    private readonly DataFolder _data;
    private readonly string _server;

    private EmbeddedRedis(IDistributedApplicationBuilder builder, DataFolder data, string server)
    {
        _builder = builder;
        _data = data;
        _server = server;
    }

    public string Description { get; } = $"Garnet {Version} for Redis";

    public static async Task<EmbeddedRedis> PrepareAsync(IDistributedApplicationBuilder builder, DataFolder data)
    {
        if (Find() is null)
        {
            Console.WriteLine($"Restoring the .NET tool {Tool} {Version} ...");
            await Command.RunAsync("dotnet tool restore", "dotnet", ["tool", "restore"], Path.GetDirectoryName(builder.AppHostDirectory));
        }

        return new EmbeddedRedis(builder, data, Find() ?? throw new DistributedApplicationException(
            $"The .NET tool {Tool} {Version} is missing after 'dotnet tool restore': is it in .config/dotnet-tools.json, and does a package source serve it?"));
    }

    public IResourceBuilder<IResourceWithConnectionString> Add(string name)
    {
        var password = _builder.AddParameter($"{name}-password", Secrets.New(), secret: true);
        var folder = _data.CreatePrivateFolder("redis");
        var configuration = Path.Combine(folder, "garnet.conf");
        var server = _builder.AddResource(new EmbeddedServer(name, "dotnet", folder)).WithPort("tcp");
        server.Resource.ConnectionStringExpression = ReferenceExpression.Create($"127.0.0.1:{server.Port("tcp")},password={password.Resource}");

        _builder.Services.AddHealthChecks().AddAsyncCheck($"{name}_check", stop => CheckAsync(server.GetEndpoint("tcp").Port, password.Resource, stop));
        return server
            .WithArgs(
                _server, "--bind", "127.0.0.1", "--port", server.Port("tcp"), "--config-import-path", configuration,
                // Garnet's defaults are for a large server: 16 GB of log, 128 MB of index. This is a cache on a developer's machine.
                "--lua", "--memory", "128m", "--page", "1m", "--index", "4m", "--logger-level", "Error", "-q")
            // The tool is configured for the server garbage collector, which reserves a heap per core.
            .WithEnvironment("DOTNET_gcServer", "0")
            .WithEnvironment("DOTNET_gcConcurrent", "0")
            // Its idle threads spin before they sleep: in a profile on 2 cores, half of all context switches of the whole system.
            .WithEnvironment("DOTNET_ThreadPool_UnfairSemaphoreSpinLimit", "0")
            .WithHealthCheck($"{name}_check")
            .OnBeforeResourceStarted(async (_, _, stop) =>
            {
                // In a file that only its owner can read, not on the command line, which every user can read.
                var settings = new { AuthenticationMode = "Password", Password = await password.Resource.GetValueAsync(stop) };
                Secrets.WriteForOwner(configuration, JsonSerializer.Serialize(settings));
            });
    }

    private static async Task<HealthCheckResult> CheckAsync(int port, ParameterResource password, CancellationToken cancellationToken)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(3));
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            var stream = client.GetStream();
            await stream.WriteAsync(Request("AUTH", await password.GetValueAsync(timeout.Token) ?? "").Concat(Request("PING")).ToArray(), timeout.Token);
            using var reader = new StreamReader(stream, Encoding.ASCII);
            var answers = new[] { await reader.ReadLineAsync(timeout.Token), await reader.ReadLineAsync(timeout.Token) };
            return answers is ["+OK", "+PONG"] ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join(' ', answers));
        }
        catch (Exception problem) when (problem is SocketException or IOException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy(problem.Message);
        }

        static byte[] Request(params string[] words)
            => Encoding.ASCII.GetBytes($"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n")));
    }

    /// <summary>
    /// Finds the tool's assembly, which is started directly: 'dotnet tool run' would keep a second process alive next to the server.
    /// </summary>
    private static string? Find()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var tools = Path.Combine(packages, Tool, Version, "tools");
        return Directory.Exists(tools)
            ? Directory.EnumerateFiles(tools, "GarnetServer.dll", SearchOption.AllDirectories).Where(file => file.Contains("net10.0", StringComparison.Ordinal)).MinBy(file => file.Length)
            : null;
    }
}
