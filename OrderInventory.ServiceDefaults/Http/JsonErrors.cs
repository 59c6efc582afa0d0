using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Tells the caller what is wrong with an unreadable request, by JSON path. The framework's own messages are for .NET programmers (they name
/// .NET types and parameters); those that are not known here are replaced by a general one.
/// </summary>
public static partial class JsonErrors
{
    public static Dictionary<string, string[]> Describe(JsonException exception)
    {
        var path = exception.Path ?? "$";
        var message = exception.Message;
        if (exception is NullElementException element)
        {
            return new() { [$"{path}.{element.Place}"] = ["It must not be null."] };
        }

        if (MissingMembers().Match(message) is { Success: true } missing)
        {
            return missing.Groups["name"].Captures.ToDictionary(name => $"{path}.{name.Value}", _ => new[] { "It is required." });
        }

        return new()
        {
            [path] = [message switch
            {
                _ when message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal) => "Unknown member.",
                _ when message.Contains("allow null values", StringComparison.Ordinal)
                    || message.Contains("allow setting null values", StringComparison.Ordinal) => "It must not be null.",
                _ when message.StartsWith("Duplicate property", StringComparison.Ordinal) => "The member occurs more than once.",
                _ when message.Contains("could not be converted", StringComparison.Ordinal) => "The value has the wrong type, or is out of range.",
                _ when message.Contains(".NET", StringComparison.Ordinal) || message.Contains(" type '", StringComparison.Ordinal) => "The value cannot be read.",
                _ => WithoutPosition(message),
            }],
        };
    }

    internal static Dictionary<string, string[]> Describe(BadHttpRequestException exception) =>
        UnreadableParameter().Match(exception.Message) is { Success: true } parameter
            ? new() { [parameter.Groups["name"].Value] = ["The value cannot be read."] }
            : new() { ["$"] = [exception.Message.Contains("no body was provided", StringComparison.Ordinal) ? "A body is required." : exception.Message] };

    /// <summary>System.Text.Json appends " Path: … | LineNumber: …"; the path is the key already.</summary>
    private static string WithoutPosition(string message) =>
        message.IndexOf(" Path: ", StringComparison.Ordinal) is var end and >= 0 ? message[..end] : message;

    [GeneratedRegex("missing required properties including: ('(?<name>[^']+)'[,. ;]*)+", RegexOptions.CultureInvariant)]
    private static partial Regex MissingMembers();

    [GeneratedRegex("^Failed to bind parameter \"\\S+ (?<name>\\w+)\" from ", RegexOptions.CultureInvariant)]
    private static partial Regex UnreadableParameter();
}
