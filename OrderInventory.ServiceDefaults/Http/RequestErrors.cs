using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Collects what is wrong with a request, so that the caller gets all errors in one response.</summary>
public sealed class RequestErrors
{
    private readonly Dictionary<string, string[]> _errors = [];

    public bool Any => _errors.Count > 0;

    /// <summary>All errors, for a response that is not a problem document.</summary>
    public IReadOnlyDictionary<string, string[]> All => _errors;

    /// <summary>Adds <paramref name="message"/> for the JSON path unless <paramref name="holds"/>.</summary>
    public void Require(bool holds, string path, string message)
    {
        if (!holds)
        {
            Add(path, message);
        }
    }

    public void Add(string path, string message) =>
        _errors[path] = _errors.TryGetValue(path, out var before) ? [.. before, message] : [message];

    /// <summary>
    /// Requires a text with a visible character and at most <paramref name="maxLength"/> characters (code points). Control characters are
    /// refused; with <paramref name="multiline"/>, tabs and line breaks are allowed.
    /// </summary>
    public void RequireText(string? value, int maxLength, string path, bool multiline = false) => TextErrors.RequireText(this, value, 1, maxLength, multiline, path);

    /// <summary>As <see cref="RequireText"/>, for a text that may be omitted or empty.</summary>
    public void AllowText(string? value, int maxLength, string path, bool multiline = false) => TextErrors.RequireText(this, value, 0, maxLength, multiline, path);

    /// <summary>400 with all errors.</summary>
    public ProblemHttpResult Malformed() => Problems.MalformedRequest(_errors);

    /// <summary>422 with all errors.</summary>
    public ProblemHttpResult Unprocessable(string code, string title) => Problems.Unprocessable(code, title, _errors);
}
