using System.Globalization;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Requests that act on many resources must say which. An empty body is refused, so that nobody acts on all of them by accident;
/// <c>"all": true</c> says so explicitly.
/// </summary>
public static class BulkRequests
{
    /// <summary>The most that one request does; its answer says whether there are more.</summary>
    public const int Max = 100;

    /// <param name="errors">What is wrong is added here.</param>
    /// <param name="ids">Named ones, or null.</param>
    /// <param name="isFiltered">Whether a filter was given that may leave something out.</param>
    /// <param name="all">Whether all are meant; null when it was left out.</param>
    /// <param name="limit">The most to do in this request; null when it was left out.</param>
    public static void Require(RequestErrors errors, IReadOnlyList<Guid>? ids, bool isFiltered, bool? all, int? limit)
    {
        ArgumentNullException.ThrowIfNull(errors);
        errors.Require(ids is null or { Count: >= 1 and <= Max }, "$.ids", string.Create(CultureInfo.InvariantCulture, $"1 to {Max} ids are required."));
        errors.Require(limit is null or (>= 1 and <= Max), "$.limit", string.Create(CultureInfo.InvariantCulture, $"A number from 1 to {Max} is required."));
        if (all == true)
        {
            errors.Require(ids is null && !isFiltered, "$.all", "true stands alone: with ids or a filter, not all are meant.");
        }
        else
        {
            errors.Require(ids is not null || isFiltered, "$", "Say which: ids, a filter, or {\"all\": true}.");
        }
    }
}
