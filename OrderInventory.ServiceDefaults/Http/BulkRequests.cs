using System.Globalization;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Requests that act on many resources must say which. An empty body is refused, so that nobody acts on all of them by accident;
/// <c>"all": true</c> selects all explicitly.
/// </summary>
public static class BulkRequests
{
    /// <summary>The largest number of resources that one request acts on; its response says whether there are more.</summary>
    public const int Max = 100;

    /// <param name="errors">Receives what is wrong.</param>
    /// <param name="ids">The ids of the resources, or null.</param>
    /// <param name="isFiltered">Whether a filter was given that may exclude resources.</param>
    /// <param name="all">Whether all are meant; null when it was omitted.</param>
    /// <param name="limit">The largest number for this request; null when it was omitted.</param>
    public static void Require(RequestErrors errors, IReadOnlyList<Guid>? ids, bool isFiltered, bool? all, int? limit)
    {
        ArgumentNullException.ThrowIfNull(errors);
        errors.Require(ids is null or { Count: >= 1 and <= Max }, "$.ids", string.Create(CultureInfo.InvariantCulture, $"1 to {Max} ids are required."));
        errors.Require(limit is null or (>= 1 and <= Max), "$.limit", string.Create(CultureInfo.InvariantCulture, $"A number from 1 to {Max} is required."));
        if (all == true)
        {
            errors.Require(ids is null && !isFiltered, "$.all", "true cannot be combined with ids or a filter.");
        }
        else
        {
            errors.Require(ids is not null || isFiltered, "$", "ids, a filter or {\"all\": true} is required.");
        }
    }
}
