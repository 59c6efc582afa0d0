using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>Reads a query parameter like <c>ids=a,b,c</c>: the batch form of a GET.</summary>
public static class IdList
{
    public const int MaxIds = 100;

    /// <summary>Reads 1 to <see cref="MaxIds"/> ids; the problem is the 400 to answer.</summary>
    [SuppressMessage("Design", "CA1021", Justification = "As Paging.Read.")]
    public static ProblemHttpResult? Read(string ids, string parameter, out Guid[] read)
    {
        var parts = ids.Split(',');
        read = new Guid[parts.Length];
        if (parts.Length > MaxIds)
        {
            return Problems.MalformedRequest(parameter, string.Create(CultureInfo.InvariantCulture, $"At most {MaxIds} ids are allowed."));
        }

        for (var i = 0; i < parts.Length; i++)
        {
            if (!Uuids.TryParse(parts[i], out read[i]))
            {
                return Problems.MalformedRequest(parameter, "Ids separated by commas, without spaces, are required.");
            }
        }

        return null;
    }
}
