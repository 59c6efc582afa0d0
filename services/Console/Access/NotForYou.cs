using System.Net;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace OrderInventory.Console.Access;

/// <summary>What somebody sees who has signed in without a role of the staff's: who they are, and the way out.</summary>
internal static class NotForYou
{
    public static async Task ShowAsync(RedirectContext<CookieAuthenticationOptions> context)
    {
        var http = context.HttpContext;
        var token = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);
        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync($"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>OrderInventory</title>
            <main>
            <h1>This console is for staff</h1>
            <p>{WebUtility.HtmlEncode(http.User.Identity?.Name)} has no role that may use it.</p>
            <form method="post" action="/console/sign-out">
            <input type="hidden" name="{token.FormFieldName}" value="{token.RequestToken}">
            <button>Sign out</button>
            </form>
            </main>
            </html>
            """);
    }
}
