using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class RotateWebhookSecret
{
    /// <summary>Rotate a webhook's secret</summary>
    /// <remarks>
    /// The new secret is generated and shown only in this response. For 24 hours the old secret signs too: Webhook-Signature then has two
    /// signatures, the new one first. A second rotation in that time ends the oldest secret. Honours If-Match if sent.
    /// </remarks>
    public static async Task<Results<Ok<WebhookResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, NotificationsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var webhook = await db.Webhooks.SingleOrDefaultAsync(w => w.Id == id, cancellationToken);
        if (webhook is null)
        {
            return Problems.NotFound("webhook", id);
        }

        if (ETags.CheckIfMatch(http, webhook.Version, required: false) is { } mismatch)
        {
            return mismatch;
        }

        webhook.RotateSecret(Webhook.NewSecret(), time.GetStorableNow());
        db.Add(ChangeEntry.Of(caller, $"webhooks/{id}", "secretRotated", webhook.Version, webhook.UpdatedAt));
        if (await db.SaveChangedAsync("webhook", webhook, w => w.Id, w => w.Version, cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, webhook.Version);
        return TypedResults.Ok(WebhookResponse.Of(webhook) with { Secret = webhook.Secret });
    }
}
