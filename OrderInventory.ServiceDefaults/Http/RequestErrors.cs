using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Collects what is wrong with a request, so that the caller learns all of it at once.</summary>
public sealed class RequestErrors
{
    private readonly Dictionary<string, string[]> _errors = [];

    public bool Any => _errors.Count > 0;

    /// <summary>What was noted, for an answer that is no problem document.</summary>
    public IReadOnlyDictionary<string, string[]> All => _errors;

    /// <summary>Notes <paramref name="message"/> for the JSON path unless <paramref name="holds"/>.</summary>
    public void Require(bool holds, string path, string message)
    {
        if (!holds)
        {
            Add(path, message);
        }
    }

    public void Add(string path, string message) =>
        _errors[path] = _errors.TryGetValue(path, out var before) ? [.. before, message] : [message];

    /// <summary>A required text: not blank, and at most <paramref name="maxLength"/> characters.</summary>
    public void RequireText(string? value, int maxLength, string path) =>
        Require(!string.IsNullOrWhiteSpace(value) && value.Length <= maxLength, path, $"1 to {maxLength} characters are required.");

    /// <summary>A text that may be left out, but is at most <paramref name="maxLength"/> characters.</summary>
    public void AllowText(string? value, int maxLength, string path) =>
        Require(value is null || value.Length <= maxLength, path, $"At most {maxLength} characters are allowed.");

    /// <summary>400 with everything that was noted.</summary>
    public ProblemHttpResult Malformed() => Problems.MalformedRequest(_errors);

    /// <summary>422 with everything that was noted.</summary>
    public ProblemHttpResult Unprocessable(string code, string title) => Problems.Unprocessable(code, title, _errors);
}
