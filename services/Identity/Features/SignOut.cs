using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using OpenIddict.Server.AspNetCore;

namespace OrderInventory.Identity.Features;

/// <summary>Ends the person's session, and redirects to the address that the page asked for if that is one of the page's own addresses.</summary>
internal static class SignOut
{
    public static async Task<IResult> HandleAsync(HttpContext http)
    {
        await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.SignOut(new() { RedirectUri = "/" }, [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
    }
}
