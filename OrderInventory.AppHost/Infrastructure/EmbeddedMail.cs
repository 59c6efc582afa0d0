using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>maildev (SMTP and a web inbox) where npm exists, otherwise a folder of .eml files.</summary>
internal sealed class EmbeddedMail
{
    private const string Version = "2.2.1";
    private readonly IDistributedApplicationBuilder _builder;
    private readonly DataFolder _data;
    private readonly string? _maildev;
    private Func<string>? _inbox;

    private EmbeddedMail(IDistributedApplicationBuilder builder, DataFolder data, string? maildev)
    {
        _builder = builder;
        _data = data;
        _maildev = maildev;
        Description = maildev is null ? "mail as .eml files in a pickup folder" : $"maildev {Version} for mail";
    }

    public string Description { get; }

    /// <summary>Known once the resource runs.</summary>
    public string? Inbox => _inbox?.Invoke();

    public static async Task<EmbeddedMail> PrepareAsync(IDistributedApplicationBuilder builder, DataFolder data, AppHostSettings settings)
    {
        switch (settings.Mail)
        {
            case "pickup":
            case "auto" when !Npm.IsInstalled:
                return new EmbeddedMail(builder, data, null);
            case "maildev" when !Npm.IsInstalled:
                throw new DistributedApplicationException("Infrastructure:Mail=maildev needs Node.js with npm: install it, or use pickup.");
            case "auto" or "maildev":
                try
                {
                    var package = await Npm.InstallAsync("maildev", Version, "the mail inbox");
                    return new EmbeddedMail(builder, data, Path.Combine(package, "bin", "maildev"));
                }
                catch (DistributedApplicationException problem) when (settings.Mail == "auto")
                {
                    Console.WriteLine($"{problem.Message} Mail goes to a pickup folder instead.");
                    return new EmbeddedMail(builder, data, null);
                }

            default:
                throw new DistributedApplicationException($"Infrastructure:Mail must be auto, maildev or pickup, not '{settings.Mail}'.");
        }
    }

    public IResourceBuilder<IResourceWithConnectionString> Add(string name)
    {
        var folder = _data.CreatePrivateFolder("mail");
        if (_maildev is null)
        {
            var address = new Uri(folder + "/").AbsoluteUri.TrimEnd('/');
            _inbox = () => address;
            return _builder.AddPlace(new EmbeddedPlace(name, address));
        }

        var server = _builder.AddResource(new EmbeddedServer(name, "node", folder)).WithPort("smtp").WithPort("http", "http");
        var smtp = server.GetEndpoint("smtp");
        server.Resource.ConnectionStringExpression = ReferenceExpression.Create($"smtp://127.0.0.1:{smtp.Property(EndpointProperty.Port)}");
        _inbox = () => server.GetEndpoint("http").Url;

        _builder.Services.AddHealthChecks().AddAsyncCheck($"{name}_check", stop => CheckAsync(smtp.Port, stop));
        return server
            .WithArgs(_maildev, "--ip", "127.0.0.1", "--smtp", server.Port("smtp"), "--web-ip", "127.0.0.1", "--web", server.Port("http"), "--mail-directory", folder, "--silent")
            .WithHealthCheck($"{name}_check");
    }

    private static async Task<HealthCheckResult> CheckAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(3));
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            var greeting = await reader.ReadLineAsync(timeout.Token);
            return greeting?.StartsWith("220", StringComparison.Ordinal) == true ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(greeting);
        }
        catch (Exception problem) when (problem is SocketException or IOException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy(problem.Message);
        }
    }
}
