using System.Net;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace OrderInventory.Console.Access;

/// <summary>The pages for people who are refused: they say why, and how to continue.</summary>
internal static class PlainPages
{
    /// <summary>For people who have signed in without a staff role.</summary>
    public static Task ShowNotForYouAsync(RedirectContext<CookieAuthenticationOptions> context)
    {
        var http = context.HttpContext;
        var token = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);
        return WriteAsync(http, StatusCodes.Status403Forbidden, "This console is for staff", $"""
            <p>{WebUtility.HtmlEncode(http.User.Identity?.Name)} has no role that may use the console.</p>
            <form method="post" action="/console/sign-out">
            <input type="hidden" name="{token.FormFieldName}" value="{token.RequestToken}">
            <button>Sign out</button>
            </form>
            """);
    }

    /// <summary>For people who return from the provider without being signed in: they took too long, declined, or opened an old address.</summary>
    public static Task ShowNotSignedInAsync(RemoteFailureContext context)
    {
        context.HandleResponse();
        return WriteAsync(context.HttpContext, StatusCodes.Status400BadRequest, "You are not signed in", """
            <p>Signing in was not completed, or it took too long.</p>
            <p><a href="/console/">Sign in again</a></p>
            """);
    }

    private static async Task WriteAsync(HttpContext http, int status, string title, string content)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync($"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>OrderInventory</title>
            <main>
            <h1>{title}</h1>
            {content}
            </main>
            </html>
            """);
    }
}
