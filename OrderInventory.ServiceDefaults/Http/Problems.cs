using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// The problem types of the API (RFC 9457). <c>type</c> is <c>/problems/{code}</c> and stable: clients may branch on it.
/// Each is described in docs/problems.md.
/// </summary>
public static class Problems
{
    public static ProblemHttpResult MalformedRequest(IDictionary<string, string[]> errors) =>
        Of("malformed-request", "The request is malformed.", StatusCodes.Status400BadRequest, "See errors, a map from JSON path to messages.", ("errors", errors));

    public static ProblemHttpResult MalformedRequest(string path, string message) =>
        MalformedRequest(new Dictionary<string, string[]> { [path] = [message] });

    public static ProblemHttpResult Unprocessable(string code, string title, IDictionary<string, string[]> errors) =>
        Of(code, title, StatusCodes.Status422UnprocessableEntity, "See errors, a map from JSON path to messages.", ("errors", errors));

    public static ProblemHttpResult NotFound(string what, Guid id) =>
        Of("not-found", $"The {what} does not exist.", StatusCodes.Status404NotFound, $"No {what} has the id {id}.");

    public static ProblemHttpResult Conflict(string code, string title, string? detail = null, params (string Name, object? Value)[] members) =>
        Of(code, title, StatusCodes.Status409Conflict, detail, members);

    public static ProblemHttpResult PreconditionRequired() =>
        Of("precondition-required", "If-Match is required.", StatusCodes.Status428PreconditionRequired,
            "Read the resource and send its ETag as If-Match, so that no other change is overwritten unnoticed.");

    /// <param name="currentVersion">Null when the resource does not exist (any more).</param>
    public static ProblemHttpResult PreconditionFailed(long? currentVersion) =>
        Of("precondition-failed", "The resource is not in the expected state.", StatusCodes.Status412PreconditionFailed,
            "version is its current version, or null if it does not exist. Read it again.", ("version", currentVersion));

    /// <summary>The body arrived too slowly, or not at all.</summary>
    public static ProblemHttpResult RequestTimeout() =>
        Of("request-timeout", "The body did not arrive in time.", StatusCodes.Status408RequestTimeout,
            "Nothing was changed. Send the request again, faster.");

    /// <summary>A dependency does not answer. The caller may try again; nothing has happened.</summary>
    public static ProblemHttpResult Unavailable(HttpContext http, string dependency)
    {
        http.Response.Headers.RetryAfter = "1";
        return Of("dependency-unavailable", "A dependency does not answer.", StatusCodes.Status503ServiceUnavailable,
            $"{dependency} does not answer. Nothing was changed; try again.");
    }

    public static ProblemHttpResult Of(string code, string title, int status, string? detail = null, params (string Name, object? Value)[] members)
    {
        var problem = new ProblemDetails { Type = TypeOf(code), Title = title, Status = status, Detail = detail };
        foreach (var (name, value) in members)
        {
            problem.Extensions[name] = value;
        }

        return TypedResults.Problem(problem);
    }

    internal static string TypeOf(string code) => "/problems/" + code;
}
