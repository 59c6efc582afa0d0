namespace OrderInventory.Gateway;

/// <summary>
/// The stream of changes and the console's circuits have no end of their own. When the gateway stops they end at once, instead of holding it until
/// its time is over: whoever reads one comes again by itself, to the next gateway. Every other request is still answered.
/// </summary>
internal static class Streams
{
    public static void UseStreams(this WebApplication app) => app.Use(async (http, next) =>
    {
        using var end = IsStream(http.Request.Path) ? app.Lifetime.ApplicationStopping.Register(http.Abort) : default;
        await next(http);
    });

    /// <summary>As routes are matched: a slash at the end and the case of letters do not count.</summary>
    private static bool IsStream(PathString path) => path.Value!.TrimEnd('/').ToLowerInvariant() is "/api/stream" or "/console/_blazor";
}
