using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace OrderInventory.ServiceDefaults.Http;

internal static class ExceptionProblemsExtensions
{
    public static void AddProblems(this IServiceCollection services)
    {
        services.AddExceptionHandler<ExceptionProblems>();
        services.AddProblemDetails(options => options.CustomizeProblemDetails = context =>
        {
            context.ProblemDetails.Instance ??= context.HttpContext.Request.Path;
            context.ProblemDetails.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? context.HttpContext.TraceIdentifier;
        });
    }
}

/// <summary>
/// Turns what reaches the top of a request into the problem that it is: unreadable input is 4xx, a database that does not answer is
/// 503 with Retry-After, and only a defect of ours is 500.
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

        var problem = Describe(exception);
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

    private static ProblemDetails? Describe(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            Problems.Of("body-too-large", "The request body is too large.", StatusCodes.Status413PayloadTooLarge,
                $"At most {ServiceDefaultsExtensions.MaxRequestBodySize} bytes are read.").ProblemDetails,
        BadHttpRequestException { InnerException: JsonException json } =>
            Problems.MalformedRequest(json.Path ?? "$", Message(json)).ProblemDetails,
        BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
            Problems.Of("unsupported-media-type", "The body must be JSON.", StatusCodes.Status415UnsupportedMediaType).ProblemDetails,
        BadHttpRequestException bad => Problems.MalformedRequest("$", bad.Message).ProblemDetails,
        // A character that the database cannot store, in a query parameter.
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } =>
            Problems.MalformedRequest("$", "The request has a character that cannot be stored.").ProblemDetails,
        DbUpdateException { InnerException: DbException { IsTransient: true } } or DbException { IsTransient: true }
            or InvalidOperationException { InnerException: DbException { IsTransient: true } } =>
            Problems.Of("dependency-unavailable", "The database does not answer.", StatusCodes.Status503ServiceUnavailable,
                "Nothing was changed. Try again.").ProblemDetails,
        _ => null,
    };

    /// <summary>What is wrong, in words of JSON: System.Text.Json's own name the .NET types behind it.</summary>
    private static string Message(JsonException json) => json.Message switch
    {
        var m when m.Contains("could not be converted", StringComparison.Ordinal) => "The value is of the wrong type or out of range.",
        var m when m.Contains("could not be mapped", StringComparison.Ordinal) => "There is no such member.",
        var m when m.IndexOf("missing required properties including: ", StringComparison.Ordinal) is var at and >= 0 =>
            "Required members are missing: " + m[(at + "missing required properties including: ".Length)..].Split('.')[0] + ".",
        var m when m.Contains("doesn't allow setting null", StringComparison.Ordinal) || m.Contains("doesn't allow null", StringComparison.Ordinal) => "Null is not allowed.",
        var m => m.Split(" Path: ")[0],
    };
}
