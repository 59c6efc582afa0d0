using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

/// <summary>Who changed webhooks and templates.</summary>
internal static class ListChanges
{
    private static readonly Paging s_paging = new("changes");

    /// <param name="Id">UUIDv7.</param>
    /// <param name="At">When, UTC.</param>
    /// <param name="Resource">What was changed, as the path below <c>/api/notifications/</c>, such as <c>webhooks/{id}</c>.</param>
    /// <param name="What"><c>created</c>, <c>changed</c>, <c>secretRotated</c> or <c>deleted</c>.</param>
    /// <param name="Version">The resource's version after the change; for a deletion, the version before it.</param>
    /// <param name="Sub">Who made the change: the subject of their token.</param>
    /// <param name="Role">The role in which they made it.</param>
    public sealed record Item(Guid Id, DateTimeOffset At, string Resource, string What, long Version, string Sub, string Role);

    /// <summary>List who changed webhooks and templates, newest first</summary>
    /// <param name="resource">Only the changes of this resource, such as <c>webhooks/{id}</c>.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> HandleAsync(
        string? resource, int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        var rows = await db.Changes.AsNoTracking()
            .Where(c => (resource == null || c.Resource == resource) && (after == null || c.Id < after))
            .OrderByDescending(c => c.Id)
            .Take(take + 1)
            .Select(c => new Item(c.Id, c.At, c.Resource, c.What, c.Version, c.Sub, c.Role))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, item => item.Id));
    }
}
