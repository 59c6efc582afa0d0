using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.AppHost;

/// <summary>Sets whose tokens the services accept: a configured provider's or, in development, those of our own issuer.</summary>
internal static class Authentication
{
    /// <summary>Configures every service, and adds the issuer where it is wanted. Call it after all services have been added.</summary>
    /// <returns>The development issuer, or null.</returns>
    public static DevelopmentIssuer? AddAuthentication(
        this IDistributedApplicationBuilder builder, AppHostSettings settings, IInfrastructure infrastructure, IResourceBuilder<ProjectResource> gateway,
        params IResourceBuilder<ProjectResource>[] services)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            var authority = builder.AddParameter("authentication-authority");
            foreach (var service in services.Append(gateway))
            {
                service.WithEnvironment("Authentication__Authority", authority);
            }

            foreach (var service in services)
            {
                service.WithEnvironment("Authentication__ClientId", service.Resource.Name)
                    .WithEnvironment("Authentication__ClientSecret", builder.AddParameter($"{service.Resource.Name}-client-secret", secret: true));
            }

            return null;
        }

        if (settings.HasAuthority)
        {
            foreach (var service in services.Append(gateway))
            {
                foreach (var (key, value) in settings.AuthenticationOf(service.Resource.Name))
                {
                    service.WithEnvironment(key.Replace(":", "__", StringComparison.Ordinal), value);
                }
            }

            return null;
        }

        if (!settings.WantsDevelopmentIssuer(builder.Environment.IsDevelopment()))
        {
            throw new DistributedApplicationException(
                "Authentication:Authority is not set (environment variable Authentication__Authority): set it to the OpenID Connect provider whose tokens are accepted. "
                + "The issuer with demo accounts starts only in development (DOTNET_ENVIRONMENT=Development, or Authentication:DevelopmentIssuer=true).");
        }

        var issuer = new DevelopmentIssuer(builder, settings, infrastructure, gateway, services);
        builder.Services.AddSingleton(issuer);
        return issuer;
    }
}

/// <summary>The issuer of the demo shop (services/Identity). Its clients' secrets are generated here at each start.</summary>
internal sealed class DevelopmentIssuer
{
    /// <summary>The clients with a staff role, by role.</summary>
    public static readonly IReadOnlyDictionary<string, string> Staff = new Dictionary<string, string>
    {
        ["admin"] = "demo-admin",
        ["support"] = "demo-support",
        ["inventory-manager"] = "demo-warehouse",
        ["catalog-manager"] = "demo-catalog",
    };

    private const string Customer = "demo-customer";
    private readonly IResourceBuilder<ProjectResource> _identity;
    private readonly Dictionary<string, string> _secrets;

    public DevelopmentIssuer(
        IDistributedApplicationBuilder builder, AppHostSettings settings, IInfrastructure infrastructure, IResourceBuilder<ProjectResource> gateway,
        IResourceBuilder<ProjectResource>[] services)
    {
        _secrets = Staff.Values.Append(Customer).Concat(services.Select(service => service.Resource.Name)).ToDictionary(client => client, _ => Secrets.New());
        var database = infrastructure.AddDatabase("identitydb", "identity");
        var port = gateway.GetEndpoint("http").Property(EndpointProperty.Port);
        // Numeric, as in .run/endpoints.json: the issuer is the same, whatever name a caller uses for this machine.
        var address = ReferenceExpression.Create($"http://127.0.0.1:{port}");
        _identity = builder.AddService<Projects.OrderInventory_Identity>("identity", settings)
            .WithIconName("Key")
            .WithReference(database).WaitFor(database)
            .WithEnvironment("DOTNET_ENVIRONMENT", Environments.Development)
            .WithEnvironment("Identity__Issuer", address)
            .WithEnvironment("Identity__Pages__reference__0", ReferenceExpression.Create($"http://127.0.0.1:{port}/"))
            .WithEnvironment("Identity__Pages__reference__1", ReferenceExpression.Create($"http://localhost:{port}/"));
        foreach (var (place, page) in new[] { "signin-oidc", "signout-callback-oidc" }.Index())
        {
            _identity
                .WithEnvironment($"Identity__Pages__console__{2 * place}", ReferenceExpression.Create($"http://127.0.0.1:{port}/console/{page}"))
                .WithEnvironment($"Identity__Pages__console__{(2 * place) + 1}", ReferenceExpression.Create($"http://localhost:{port}/console/{page}"));
        }

        if (settings.DataPath is { } folder)
        {
            // Created here, accessible to its owner only, before any file is written to it.
            var keys = Directory.CreateDirectory(Path.Combine(folder, "identity")).FullName;
            DataFolder.RestrictToOwner(keys);
            _identity.WithEnvironment("Identity__KeysPath", keys);
        }

        foreach (var (client, secret) in _secrets)
        {
            _identity.WithEnvironment($"Identity__Secrets__{client}", secret);
        }

        gateway.WithReference(_identity);
        foreach (var service in services.Append(gateway))
        {
            service.WithEnvironment("Authentication__Authority", address);
            if (service.Resource.Name != "console")
            {
                // Services fetch it directly, without waiting for the gateway. The console fetches it through the gateway: it sends people to the
                // addresses in the document, which name the requested host.
                service.WithEnvironment("Authentication__MetadataAddress", ReferenceExpression.Create($"{_identity.GetEndpoint("http")}/.well-known/openid-configuration"));
            }
        }

        foreach (var service in services)
        {
            service.WithEnvironment("Authentication__ClientId", service.Resource.Name)
                .WithEnvironment("Authentication__ClientSecret", _secrets[service.Resource.Name]);
        }
    }

    /// <summary>The demo clients with their secrets, for scripts.</summary>
    public Dictionary<string, string> Clients => _secrets.Where(client => client.Key.StartsWith("demo-", StringComparison.Ordinal)).ToDictionary();

    /// <summary>A token for one of the demo clients.</summary>
    public async Task<string> TokenAsync(string client, CancellationToken cancellationToken, Guid? customer = null)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_identity.GetEndpoint("http").Url) };
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = client, ["client_secret"] = _secrets[client] };
        if (customer is { } id)
        {
            form["customer_id"] = id.ToString();
        }

        using var content = new FormUrlEncodedContent(form);
        using var response = await http.PostAsync(new Uri("/connect/token", UriKind.Relative), content, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<Answer>(cancellationToken))!.AccessToken;
    }

    /// <summary>The Authorization header of the demo shop's administrator.</summary>
    public async Task<AuthenticationHeaderValue> AdministratorAsync(CancellationToken cancellationToken)
        => new("Bearer", await TokenAsync(Staff["admin"], cancellationToken));

    private sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken);
}
