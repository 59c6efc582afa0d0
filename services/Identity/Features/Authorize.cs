using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;

namespace OrderInventory.Identity.Features;

/// <summary>
/// Returns an authorization code to a page once the person has signed in. OpenIddict has already checked the client, its redirect URI and the
/// PKCE challenge.
/// </summary>
internal static class Authorize
{
    public static async Task<IResult> HandleAsync(HttpContext http)
    {
        var request = http.GetOpenIddictServerRequest()!;
        var person = await http.AuthenticateAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        if (person.Principal?.Identity?.Name is not { } name || !People.All.ContainsKey(name)
            || Issuer.RoleOf(name, person.Principal.FindFirstValue("customer_id")) is not var (role, customer))
        {
            var parameters = QueryString.Create(http.Request.HasFormContentType ? [.. http.Request.Form] : [.. http.Request.Query]);
            return Results.Challenge(new() { RedirectUri = http.Request.Path + parameters }, [CookieAuthenticationDefaults.AuthenticationScheme]);
        }

        return Results.SignIn(
            Issuer.Describe(Issuer.SubjectOf(name, customer), role, customer, Issuer.LifeForPeople, request.GetScopes()),
            authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
