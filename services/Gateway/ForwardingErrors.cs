using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace OrderInventory.Gateway;

/// <summary>
/// The response when a service could not be reached or did not answer. A service's own responses, including errors, pass unchanged.
/// </summary>
internal static partial class ForwardingErrors
{
    public static async Task HandleAsync(HttpContext http, Func<Task> next)
    {
        if (http.Request.ContentLength > MaxBodySize(http))
        {
            await TooLarge(http).ExecuteAsync(http);
            return;
        }

        // A response without a body is the service's own; nothing is added to it here.
        if (http.Features.Get<IStatusCodePagesFeature>() is { } pages)
        {
            pages.Enabled = false;
        }

        await next();

        if (http.GetForwarderErrorFeature() is not { } error || http.Response.HasStarted || http.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var logger = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ForwardingErrors));
        LogNotForwarded(logger, http.GetRouteModel().Config.ClusterId, error.Error, error.Exception?.GetBaseException().Message);
        await Describe(http, error).ExecuteAsync(http);
    }

    /// <summary>
    /// Passes <c>Connection: close</c> on to the caller. A service that closes its connection has left the rest of a body unread, and then so has
    /// the gateway. A service that is only stopping closes it too; that does no harm.
    /// </summary>
    public static ValueTask PassCloseOnAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse?.Headers.ConnectionClose == true)
        {
            context.HttpContext.Response.Headers.Connection = "close";
        }

        return ValueTask.CompletedTask;
    }

    private static ProblemHttpResult Describe(HttpContext http, IForwarderErrorFeature error)
    {
        if (error.Error is ForwarderError.RequestBodyClient)
        {
            // It is unknown where the next request begins.
            http.Response.Headers.Connection = "close";
            return StatusOf(error.Exception) switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLarge(http),
                StatusCodes.Status408RequestTimeout => Problems.RequestTimeout(),
                _ => Problems.MalformedRequest("$", "The body could not be read completely."),
            };
        }

        var service = http.GetReverseProxyFeature().Cluster.Config.ClusterId;
        if (error.Error is ForwarderError.NoAvailableDestinations || NeverConnected(error.Exception))
        {
            return Problems.Unavailable(http, service);
        }

        // The request had been sent, so it is unknown how far it was processed.
        http.Response.Headers.RetryAfter = "1";
        return Problems.Of(
            "dependency-unavailable", "A dependency does not answer.", StatusCodes.Status503ServiceUnavailable,
            $"{service} did not answer completely, so it is unknown if the request was processed. Retrying with the same Idempotency-Key is safe.");
    }

    private static long MaxBodySize(HttpContext http) => http.GetRouteModel().Config.MaxRequestBodySize ?? ServiceDefaultsExtensions.MaxRequestBodySize;

    private static ProblemHttpResult TooLarge(HttpContext http) => Problems.Of(
        "body-too-large", "The request body is too large.", StatusCodes.Status413PayloadTooLarge,
        $"At most {MaxBodySize(http)} bytes are accepted.");

    private static bool NeverConnected(Exception? exception) =>
        exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    /// <summary>The status with which the server rejected the request's body, or null.</summary>
    private static int? StatusOf(Exception? exception) => exception switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        AggregateException several => several.InnerExceptions.Select(StatusOf).FirstOrDefault(status => status is not null),
        null => null,
        _ => StatusOf(exception.InnerException),
    };

    // One line instead of YARP's own entry with its stack trace: a service that is down must not fill the disk.
    [LoggerMessage(Level = LogLevel.Warning, Message = "A request to {Service} was not answered: {Error}, {Reason}")]
    private static partial void LogNotForwarded(ILogger logger, string? service, ForwarderError error, string? reason);
}
