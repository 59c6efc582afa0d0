using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.ServiceDefaults.Http;

internal static class ExceptionProblemsExtensions
{
    public static void AddProblems(this IServiceCollection services)
    {
        services.AddExceptionHandler<ExceptionProblems>();
        services.AddProblemDetails(options => options.CustomizeProblemDetails = context =>
        {
            // The type of the framework's own problems (no such route, method or content type) is a section of an RFC; our types are codes.
            if (context.ProblemDetails is { Type: null or ['h', 't', 't', 'p', ..], Status: { } status })
            {
                context.ProblemDetails.Type = Problems.TypeOf(CodeOf(status));
                context.ProblemDetails.Detail ??= DetailOf(status);
            }

            context.ProblemDetails.Instance ??= context.HttpContext.Request.Path;
            context.ProblemDetails.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? context.HttpContext.TraceIdentifier;
        });
        // Registered after the framework's own writer, as the fallback.
        services.AddSingleton<IProblemDetailsWriter, FallbackProblemWriter>();
    }

    private static string? DetailOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "Send a valid token: Authorization: Bearer <JWT>. WWW-Authenticate says what is wrong with the sent token.",
        StatusCodes.Status403Forbidden => "None of the token's roles allows this call.",
        _ => null,
    };

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "not-authenticated",
        StatusCodes.Status403Forbidden => "not-permitted",
        StatusCodes.Status404NotFound => "not-found",
        StatusCodes.Status405MethodNotAllowed => "method-not-allowed",
        StatusCodes.Status408RequestTimeout => "request-timeout",
        StatusCodes.Status413PayloadTooLarge => "body-too-large",
        StatusCodes.Status415UnsupportedMediaType => "unsupported-media-type",
        >= 500 => "internal-error",
        _ => "malformed-request",
    };
}

/// <summary>
/// Writes problems for clients that accept other content only. The framework's writer refuses them, and a client that requested a CSV file
/// would not learn what is wrong with the request (RFC 9110, section 12.5.1, leaves the choice to the server).
/// </summary>
internal sealed class FallbackProblemWriter(IOptions<ProblemDetailsOptions> options) : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var response = context.HttpContext.Response;
        context.ProblemDetails.Status ??= response.StatusCode;
        context.ProblemDetails.Title ??= ReasonPhrases.GetReasonPhrase(context.ProblemDetails.Status.Value);
        options.Value.CustomizeProblemDetails?.Invoke(context);
        return new(response.WriteAsJsonAsync(context.ProblemDetails, options: null, contentType: "application/problem+json", context.HttpContext.RequestAborted));
    }
}

/// <summary>
/// Turns unhandled exceptions of a request into problems: unreadable input is 4xx, a database that does not answer is 503 with Retry-After,
/// and only a defect of ours is 500.
/// </summary>
internal sealed class ExceptionProblems(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var problem = Describe(http, exception);
        if (problem is null)
        {
            return false;
        }

        http.Response.StatusCode = problem.Status!.Value;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            http.Response.Headers.RetryAfter = "1";
        }

        return await problems.TryWriteAsync(new() { HttpContext = http, ProblemDetails = problem, Exception = exception });
    }

    private static ProblemDetails? Describe(HttpContext http, Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            Problems.Of("body-too-large", "The request body is too large.", StatusCodes.Status413PayloadTooLarge,
                $"At most {http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize} bytes are accepted.").ProblemDetails,
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Problems.RequestTimeout().ProblemDetails,
        BadHttpRequestException { InnerException: JsonException json } =>
            Problems.MalformedRequest(JsonErrors.Describe(json)).ProblemDetails,
        BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
            Problems.Of("unsupported-media-type", "The body must be JSON.", StatusCodes.Status415UnsupportedMediaType).ProblemDetails,
        BadHttpRequestException bad => Problems.MalformedRequest(JsonErrors.Describe(bad)).ProblemDetails,
        // A value contains U+0000, or there are too many or too long values.
        InvalidDataException when http.Request.HasFormContentType => Problems.MalformedRequest("$", "The form cannot be read.").ProblemDetails,
        // A character that the database cannot store, in a query parameter.
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } =>
            Problems.MalformedRequest("$", "The request contains a character that cannot be stored.").ProblemDetails,
        _ when exception.IsTransientDatabaseFailure() =>
            Problems.Of("dependency-unavailable", "The database does not answer.", StatusCodes.Status503ServiceUnavailable,
                "Nothing was changed. Try again.").ProblemDetails,
        _ => null,
    };
}
