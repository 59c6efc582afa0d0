using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using OrderInventory.ServiceDefaults.Identity;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace OrderInventory.Identity.Features;

/// <summary>Issues a token for client credentials, a code of <see cref="Authorize"/> or a refresh token. OpenIddict has checked them.</summary>
internal static class IssueToken
{
    public static async Task<IResult> HandleAsync(HttpContext http)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if (!request.IsClientCredentialsGrantType())
        {
            var known = await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
            return Results.SignIn(known.Principal!, authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        }

        var client = request.ClientId!;
        if (!People.All.ContainsKey(client))
        {
            return SignIn(Issuer.Describe($"service:{client}", Roles.Service, null, Issuer.LifeForServices, request.GetScopes()));
        }

        return Issuer.RoleOf(client, (string?)request["customer_id"]) is var (role, customer)
            ? SignIn(Issuer.Describe(Issuer.SubjectOf(client, customer), role, customer, Issuer.LifeForPeople, request.GetScopes()))
            : Results.Forbid(
                new(new Dictionary<string, string?>
                {
                    [OpenIddictServerAspNetCoreConstants.Properties.Error] = Errors.InvalidRequest,
                    [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = $"{client} acts for a customer: set the form parameter customer_id to the customer's id.",
                }),
                [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
    }

    private static IResult SignIn(System.Security.Claims.ClaimsPrincipal principal) =>
        Results.SignIn(principal, authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
}
