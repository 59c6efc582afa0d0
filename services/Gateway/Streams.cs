namespace OrderInventory.Gateway;

/// <summary>
/// Ends the stream of changes and the console's circuits as soon as the gateway stops. They have no end of their own and would delay the stop
/// until its timeout. Their clients reconnect automatically, to the next gateway. Every other request is still answered.
/// </summary>
internal static class Streams
{
    public static void UseStreams(this WebApplication app) => app.Use(async (http, next) =>
    {
        using var end = IsStream(http.Request.Path) ? app.Lifetime.ApplicationStopping.Register(http.Abort) : default;
        await next(http);
    });

    /// <summary>Compares like the routing: a trailing slash and the case of letters do not matter.</summary>
    private static bool IsStream(PathString path) => path.Value!.TrimEnd('/').ToLowerInvariant() is "/api/stream" or "/console/_blazor";
}
