using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Reads a query parameter like <c>status=confirmed,shipped</c>: enum values, any of which matches.</summary>
public static class EnumList
{
    /// <summary>Reads the values; null stays null, which means all. The problem is the 400 to answer.</summary>
    [SuppressMessage("Design", "CA1021", Justification = "As Paging.Read.")]
    public static ProblemHttpResult? Read<T>(string? text, string parameter, out T[]? read)
        where T : struct, Enum
    {
        read = null;
        if (text is null)
        {
            return null;
        }

        var known = Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()), StringComparer.Ordinal);
        var wanted = new HashSet<T>();
        foreach (var name in text.Split(','))
        {
            if (!known.TryGetValue(name, out var value))
            {
                return Problems.MalformedRequest(parameter, $"One or more of these values are required, separated by commas: {string.Join(", ", known.Keys)}.");
            }

            wanted.Add(value);
        }

        read = [.. wanted];
        return null;
    }
}
