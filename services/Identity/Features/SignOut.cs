using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using OpenIddict.Server.AspNetCore;

namespace OrderInventory.Identity.Features;

/// <summary>Ends the person's session, and sends the page on to where it wished, if that is one of its own addresses.</summary>
internal static class SignOut
{
    public static async Task<IResult> HandleAsync(HttpContext http)
    {
        await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.SignOut(new() { RedirectUri = "/" }, [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
    }
}
