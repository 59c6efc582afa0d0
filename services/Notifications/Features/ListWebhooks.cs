using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class ListWebhooks
{
    private static readonly Paging s_paging = new("webhooks");

    /// <summary>List webhooks, oldest first</summary>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<WebhookResponse>>, ProblemHttpResult>> HandleAsync(
        int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        var webhooks = db.Webhooks.AsNoTracking();
        webhooks = after is null ? webhooks : webhooks.Where(w => w.Id > after);
        var rows = await webhooks.OrderBy(w => w.Id).Take(take + 1).Select(WebhookResponse.Projection).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, w => w.Id));
    }
}
