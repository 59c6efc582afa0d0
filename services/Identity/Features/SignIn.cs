using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace OrderInventory.Identity.Features;

/// <summary>The page on which a person of the demo shop signs in.</summary>
internal static class SignIn
{
    public const string Path = "/account/sign-in";

    public static IResult Show(string? returnUrl) => Page(returnUrl, null, StatusCodes.Status200OK);

    public static async Task<IResult> HandleAsync(
        HttpContext http, [FromForm] string? name, [FromForm] string? secret, [FromForm] string? customer, [FromForm] string? returnUrl, People people)
    {
        if (!people.Authenticates(name ?? "", secret ?? ""))
        {
            return Page(returnUrl, "The secret is wrong. It changes at each start.", StatusCodes.Status400BadRequest);
        }

        if (Issuer.RoleOf(name!, customer?.Trim()) is not var (_, id))
        {
            return Page(returnUrl, "demo-customer acts for a customer: enter the customer's id.", StatusCodes.Status400BadRequest);
        }

        var identity = new ClaimsIdentity([new(ClaimTypes.Name, name!)], CookieAuthenticationDefaults.AuthenticationScheme);
        if (id is not null)
        {
            identity.AddClaim(new("customer_id", id.Value.ToString()));
        }

        await http.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new(identity));
        // Follows the return URL only when it leads to the authorization request that sent the person here.
        return returnUrl?.StartsWith(Issuer.AuthorizePath + "?", StringComparison.Ordinal) == true ? Results.LocalRedirect(returnUrl) : Results.LocalRedirect("/");
    }

    private static ContentHttpResult Page(string? returnUrl, string? problem, int status) => TypedResults.Text(
        $"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Sign in to OrderInventory</title>
        <main>
        <h1>Sign in</h1>
        <p>Choose a person of the demo shop. The secrets change at each start; see <code>clients</code> in <code>.run/endpoints.json</code>.</p>
        {(problem is null ? "" : $"<p role=\"alert\"><strong>{WebUtility.HtmlEncode(problem)}</strong></p>")}
        <form method="post" action="{Path}">
        <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
        <p><label>Person <select name="name">{string.Concat(People.All.Keys.Select(person => $"<option>{person}</option>"))}</select></label></p>
        <p><label>Secret <input name="secret" type="password" autocomplete="current-password" required></label></p>
        <p><label>For demo-customer, the customer's id <input name="customer" size="36"></label></p>
        <p><button>Sign in</button></p>
        </form>
        </main>
        </html>
        """,
        "text/html; charset=utf-8", statusCode: status);
}
