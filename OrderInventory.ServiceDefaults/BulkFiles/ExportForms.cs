using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>The format of an export, chosen by <c>Accept</c>.</summary>
public static class ExportForms
{
    /// <summary>The form that the caller prefers; the first one without a preference, null when none is acceptable.</summary>
    public static string? Choose(HttpRequest request, params string[] forms)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return accepted.Count == 0
            ? forms[0]
            : accepted.Where(type => type.Quality != 0).OrderByDescending(type => type.Quality ?? 1)
                .Select(type => forms.FirstOrDefault(form => new MediaTypeHeaderValue(form).IsSubsetOf(WithoutParameters(type))))
                .FirstOrDefault(form => form is not null);
    }

    /// <summary>406.</summary>
    public static ProblemHttpResult NotAcceptable() => Problems.Of(
        "not-acceptable", "The format is not available.", StatusCodes.Status406NotAcceptable, $"Available formats: {MediaTypes.Csv}, {MediaTypes.Ndjson}.");

    /// <summary>A client that accepts "text/csv; charset=utf-8" gets CSV, too.</summary>
    private static MediaTypeHeaderValue WithoutParameters(MediaTypeHeaderValue type) => new(type.MediaType);
}
