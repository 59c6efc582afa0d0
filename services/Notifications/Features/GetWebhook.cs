using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class GetWebhook
{
    /// <summary>Read a webhook</summary>
    /// <remarks>Without its secret.</remarks>
    public static async Task<Results<Results<Ok<WebhookResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, NotificationsDb db, CancellationToken cancellationToken)
    {
        var webhook = await db.Webhooks.AsNoTracking().Where(w => w.Id == id).Select(WebhookResponse.Projection).SingleOrDefaultAsync(cancellationToken);
        return webhook is null ? Problems.NotFound("webhook", id) : ETags.Ok(http, webhook, webhook.Version);
    }
}
