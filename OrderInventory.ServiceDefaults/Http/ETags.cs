using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>A resource's version as its strong ETag (RFC 9110, section 8.8.3): <c>"7"</c>.</summary>
public static class ETags
{
    /// <summary>Returns the resource with its ETag, or 304 when the caller already has this version.</summary>
    public static Results<Ok<T>, StatusCodeHttpResult> Ok<T>(HttpContext http, T resource, long version, string? mark = null)
    {
        var etag = Set(http, version, mark);
        return http.Request.Headers.IfNoneMatch.Any(value => value is not null && Lists(value, etag))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(resource);
    }

    /// <summary>Sets the ETag header of the response.</summary>
    /// <param name="http">The request and its response.</param>
    /// <param name="version">The resource's version.</param>
    /// <param name="mark">Distinguishes different representations of one version, as in <c>"7-erased"</c>.</param>
    public static string Set(HttpContext http, long version, string? mark = null)
    {
        var etag = string.Create(CultureInfo.InvariantCulture, $"\"{version}{(mark is null ? "" : "-")}{mark}\"");
        http.Response.Headers.ETag = etag;
        return etag;
    }

    /// <summary>
    /// Checks If-Match and If-None-Match of a change. Null when it may continue; otherwise 428 when If-Match is missing and required, or 412: none
    /// of its tags is the current version (weak tags never match: RFC 9110, section 13.1.1), the resource of an If-Match does not exist, or
    /// If-None-Match excludes the current version. A mark after the version is ignored for changes.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="currentVersion">The resource's version; null while it does not exist, and the request would create it.</param>
    /// <param name="required">Whether an existing resource needs If-Match.</param>
    public static ProblemHttpResult? CheckIfMatch(HttpContext http, long? currentVersion, bool required = true)
    {
        var (mustBe, mustNotBe) = (http.Request.Headers.IfMatch, http.Request.Headers.IfNoneMatch);
        if (currentVersion is not { } version)
        {
            return mustBe.Count > 0 ? Problems.PreconditionFailed(null) : null;
        }

        var etag = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
        if (mustNotBe.Any(value => value is not null && Lists(value, etag)))
        {
            return Problems.PreconditionFailed(version);
        }

        if (mustBe.Count == 0)
        {
            return required ? Problems.PreconditionRequired() : null;
        }

        return mustBe.Any(value => value is not null && Lists(value, etag, forChange: true)) ? null : Problems.PreconditionFailed(version);
    }

    private static bool Lists(string header, string etag, bool forChange = false)
    {
        foreach (var part in header.Split(',', StringSplitOptions.TrimEntries))
        {
            // A cache may weaken the tag that it stores; for a conditional read the weak form still means the same version.
            if (part == "*" || part == etag || (forChange
                ? part.StartsWith($"{etag[..^1]}-", StringComparison.Ordinal)
                : part.StartsWith("W/", StringComparison.Ordinal) && part[2..] == etag))
            {
                return true;
            }
        }

        return false;
    }
}
