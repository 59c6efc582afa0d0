using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace OrderInventory.Identity;

/// <summary>Creates or updates the clients before the first request, with the secrets of this start.</summary>
internal sealed class SeedClients(IServiceScopeFactory scopes, IOptions<IdentityOptions> options) : IHostedService
{
    /// <summary>Services that call other services; their client ids are their names.</summary>
    public static readonly string[] Services = ["orders", "inventory", "products", "customers", "notifications"];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        foreach (var id in People.All.Keys.Concat(Services))
        {
            await UpsertAsync(clients, new()
            {
                ClientId = id,
                ClientType = ClientTypes.Confidential,
                ClientSecret = options.Value.Secrets[id],
                Permissions = { Permissions.Endpoints.Token, Permissions.GrantTypes.ClientCredentials },
            }, cancellationToken);
        }

        foreach (var (id, addresses) in options.Value.Pages)
        {
            var page = new OpenIddictApplicationDescriptor
            {
                ClientId = id,
                // A client that runs on a server can keep a secret.
                ClientType = options.Value.Secrets.ContainsKey(id) ? ClientTypes.Confidential : ClientTypes.Public,
                ClientSecret = options.Value.Secrets.GetValueOrDefault(id),
                ConsentType = ConsentTypes.Implicit,
                Permissions =
                {
                    Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.Endpoints.EndSession,
                    Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken, Permissions.ResponseTypes.Code, Permissions.Scopes.Profile,
                },
                Requirements = { Requirements.Features.ProofKeyForCodeExchange },
            };
            page.RedirectUris.UnionWith(addresses.Select(address => new Uri(address)));
            page.PostLogoutRedirectUris.UnionWith(addresses.Select(address => new Uri(address)));
            await UpsertAsync(clients, page, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task UpsertAsync(IOpenIddictApplicationManager clients, OpenIddictApplicationDescriptor client, CancellationToken cancellationToken)
    {
        if (await clients.FindByClientIdAsync(client.ClientId!, cancellationToken) is { } known)
        {
            await clients.UpdateAsync(known, client, cancellationToken);
        }
        else
        {
            await clients.CreateAsync(client, cancellationToken);
        }
    }
}
