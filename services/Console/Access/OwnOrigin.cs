namespace OrderInventory.Console.Access;

/// <summary>
/// Refuses requests from other pages that use a person's cookie, including pages of the same host at another port, which SameSite counts as the same
/// site. A browser names the page in <c>Origin</c> with every form it posts and every WebSocket it opens (RFC 6455, section 10.2).
/// </summary>
internal static class OwnOrigin
{
    public static Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Request.Headers.Origin.ToString() is { Length: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(new Uri($"{http.Request.Scheme}://{http.Request.Host}").Authority, StringComparison.OrdinalIgnoreCase)))
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        }

        return next(http);
    }
}
