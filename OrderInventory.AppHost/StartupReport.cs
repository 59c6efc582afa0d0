using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrderInventory.AppHost.Demo;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.AppHost;

internal static class StartupReportExtensions
{
    /// <summary>When everything is healthy, prints the addresses, writes endpoints.json, and with --demo loads the demo data.</summary>
    public static void AddStartupReport(this IDistributedApplicationBuilder builder, IInfrastructure infrastructure, AppHostSettings settings)
        => builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<StartupReport>(services, builder, infrastructure, settings));
}

internal sealed class StartupReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    IConfiguration configuration,
    IDistributedApplicationBuilder builder,
    IInfrastructure infrastructure,
    ResourceSupervisor supervisor,
    IHostApplicationLifetime application,
    AppHostSettings settings,
    DevelopmentIssuer? issuer = null) : BackgroundService
{
    private const string BrowserToken = "AppHost:BrowserToken";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private string? _written;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (!await WaitUntilHealthyAsync(stoppingToken))
            {
                Environment.ExitCode = 1;
                application.StopApplication();
                return;
            }

            supervisor.SystemIsReady();
            var endpoints = await DescribeAsync(stoppingToken);
            Write(endpoints);
            Console.WriteLine(Describe(endpoints, Stopwatch.GetElapsedTime(settings.Started), EndpointsFile));
            if (settings.Demo)
            {
                using var gateway = new HttpClient { BaseAddress = new Uri(endpoints.Gateway) };
                gateway.DefaultRequestHeaders.Authorization = endpoints.Token is { } token
                    ? new("Bearer", token)
                    : throw new DistributedApplicationException("the demo is loaded by the development issuer's administrator, but Authentication:Authority is set to another provider.");
                await new DemoLoader(gateway, Console.Out).LoadAsync(stoppingToken);
            }
        }
        catch (DistributedApplicationException problem)
        {
            Console.Error.WriteLine($"The system did not start completely: {problem.Message}");
        }
        catch (HttpRequestException problem)
        {
            Console.Error.WriteLine($"The demo data was not loaded: {problem.Message}");
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);

        // Another copy of this system may have written its own file in the meantime.
        if (_written is not null && EndpointsFile is { } file && File.Exists(file) && await File.ReadAllTextAsync(file, cancellationToken) == _written)
        {
            File.Delete(file);
        }
    }

    private string? EndpointsFile => settings.RunDirectory is { } folder
        ? Path.Combine(folder, "endpoints.json")
        : AppHostSettings.RunsInsideATest ? null : Path.Combine(Path.GetDirectoryName(builder.AppHostDirectory)!, ".run", "endpoints.json");

    private async Task<bool> WaitUntilHealthyAsync(CancellationToken cancellationToken)
    {
        // The supervisor handles a service that ends: it restarts it, or aborts the start.
        var waits = model.Resources.OfType<ProjectResource>().ToDictionary(
            service => service.Name, service => notifications.WaitForResourceHealthyAsync(service.Name, WaitBehavior.WaitOnResourceUnavailable, cancellationToken));
        var all = Task.WhenAll(waits.Values);
        while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(20), cancellationToken)) != all)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var late = string.Join(", ", waits.Where(wait => !wait.Value.IsCompleted).Select(wait => $"{wait.Key} ({supervisor.StateOf(wait.Key)})"));
            if (Stopwatch.GetElapsedTime(settings.Started) > settings.StartTimeout)
            {
                Console.Error.WriteLine(FormattableString.Invariant($"Not healthy after {settings.StartTimeout.TotalMinutes} minutes: {late}. The system is stopped."));
                return false;
            }

            Console.WriteLine($"Still waiting for {late} to become healthy ...");
        }

        await all;
        return true;
    }

    private async Task<Endpoints> DescribeAsync(CancellationToken cancellationToken)
    {
        var services = model.Resources.OfType<ProjectResource>().ToDictionary(service => service.Name, service => Numeric(service.GetEndpoint("http").Url));
        var connections = new Dictionary<string, string>();
        foreach (var resource in model.Resources.OfType<IResourceWithConnectionString>())
        {
            connections[resource.Name] = await resource.GetConnectionStringAsync(cancellationToken) ?? "";
        }

        Dictionary<string, string>? tokens = null;
        if (issuer is not null)
        {
            tokens = [];
            foreach (var (role, client) in DevelopmentIssuer.Staff)
            {
                tokens[role] = await issuer.TokenAsync(client, cancellationToken);
            }
        }

        return new Endpoints(
            services["gateway"],
            Dashboard(),
            infrastructure.MailInbox() is { } inbox ? Numeric(inbox) : null,
            // The issuer is not part of the shop: it has no topic and no dead letters, and its database belongs to OpenIddict.
            // The console, which has no API, is not part of it either.
            services.Where(service => service.Key is not ("gateway" or "identity" or "console")).ToDictionary(),
            connections.Where(connection => connection.Key != "identitydb" && connection.Key.EndsWith("db", StringComparison.Ordinal)).ToDictionary(connection => connection.Key[..^2], connection => connection.Value),
            connections["redis"],
            connections["kafka"],
            tokens?["admin"],
            tokens,
            issuer?.Clients,
            $"{services["gateway"]}/console/");
    }

    private string? Dashboard() => DashboardOf(configuration) is { } address ? $"{address}/login?t={configuration[BrowserToken]}" : null;

    /// <summary>The dashboard's address, null without a dashboard. Aspire keeps it and the login token in the AppHost's configuration.</summary>
    internal static string? DashboardOf(IConfiguration configuration)
        => configuration[BrowserToken] is { Length: > 0 } && configuration["ASPNETCORE_URLS"]?.Split(';')[0] is { Length: > 0 } address ? Numeric(address) : null;

    private void Write(Endpoints endpoints)
    {
        if (EndpointsFile is { } file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.Delete(file);
            _written = JsonSerializer.Serialize(endpoints, Json);

            // It contains passwords. It is written to a draft and then moved, so that nobody ever reads an incomplete file.
            var draft = $"{file}.{Environment.ProcessId}";
            Secrets.WriteForOwner(draft, _written);
            File.Move(draft, file, overwrite: true);
        }
    }

    internal static string Describe(Endpoints endpoints, TimeSpan took, string? file) => FormattableString.Invariant($"""

        OrderInventory is ready, {took.TotalSeconds:F1} s after the AppHost's start.
          Console    {endpoints.Console}  (people: "clients" in the file below)
          Gateway    {endpoints.Gateway}  (the API's reference page)
          Dashboard  {endpoints.Dashboard ?? "off"}
          Mail       {(endpoints.Mail is { } mail ? Secrets.WithoutCredentials(mail) : "none")}
          All addresses and connection strings: {file ?? "not written"}
          Ctrl-C stops everything.
        {(endpoints.Token is not null && file is not null ? HowToCall(endpoints.Gateway, file) : "")}
        """);

    /// <summary>Commands to paste into a shell. The secret itself is only in the file.</summary>
    private static string HowToCall(string gateway, string file) => $"""

        A token, and its use:
          token=$(curl -s {gateway}/connect/token -d grant_type=client_credentials -d client_id=demo-admin -d client_secret=$(jq -r '.clients["demo-admin"]' '{file}') | jq -r .access_token)
          curl -s {gateway}/api/orders -H "Authorization: Bearer $token"

        """;

    // A client may try ::1 first for "localhost" and wait in vain; scripts get the numeric address.
    private static string Numeric(string url) => url.Replace("//localhost", "//127.0.0.1", StringComparison.Ordinal);

    /// <summary>
    /// The content of endpoints.json. Token, Tokens and Clients come from the development issuer: the administrator's token, one for each staff role,
    /// and the clients' secrets.
    /// </summary>
    internal sealed record Endpoints(
        string Gateway, string? Dashboard, string? Mail, Dictionary<string, string> Services, Dictionary<string, string> Postgres, string Redis, string Kafka,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Token = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Dictionary<string, string>? Tokens = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Dictionary<string, string>? Clients = null,
        string? Console = null);
}
