using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Gateway;

/// <summary>
/// Serves the pages that a problem's <c>type</c> points to: what it means and what to do. The texts are the sections of docs/problems.md, one per
/// code.
/// </summary>
internal sealed class ProblemTypes
{
    private readonly string _all;
    private readonly Dictionary<string, string> _byCode;

    public ProblemTypes()
    {
        using var reader = new StreamReader(typeof(ProblemTypes).Assembly.GetManifestResourceStream("problems.md")!);
        _all = reader.ReadToEnd();
        _byCode = _all.ReplaceLineEndings("\n").Split("\n## ").Skip(1).ToDictionary(section => section[..section.IndexOf('\n', StringComparison.Ordinal)].Trim());
    }

    public IEnumerable<string> Codes => _byCode.Keys;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var types = new ProblemTypes();
        var group = routes.MapGroup("/problems").AllowAnonymous();
        group.MapGet("/", () => Markdown(types._all));
        group.MapGet("/{code}", Results<ContentHttpResult, ProblemHttpResult> (string code) => types._byCode.TryGetValue(code, out var section)
            ? Markdown("# " + section.TrimEnd() + "\n")
            : Problems.Of("not-found", "The problem type does not exist.", StatusCodes.Status404NotFound, "/problems lists all problem types."));
    }

    // As text/plain a browser shows it; it would download text/markdown.
    private static ContentHttpResult Markdown(string text) => TypedResults.Text(text, "text/plain; charset=utf-8");
}
