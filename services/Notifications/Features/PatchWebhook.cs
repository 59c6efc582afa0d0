using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class PatchWebhook
{
    /// <summary>What can be patched; members that are left out stay unchanged.</summary>
    /// <param name="Url">Where events are posted to; pending deliveries go to the new address too.</param>
    /// <param name="Active">False: nothing is recorded or delivered, and pending deliveries are kept for three days.</param>
    /// <param name="EventTypes">The types of events to deliver; null for all.</param>
    public sealed record Document([property: MaxLength(2048)] string Url, bool Active, IReadOnlyList<string>? EventTypes = null);

    /// <summary>Change parts of a webhook</summary>
    /// <remarks>JSON Merge Patch (RFC 7396). A patch that changes nothing keeps the version. The secret is changed by rotation.</remarks>
    public static async Task<Results<Ok<WebhookResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, MergePatch<Document> patch, HttpContext http, Caller caller, NotificationsDb db, WebhookDirectory directory, SendSignal signal,
        IOptions<NotificationOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var webhook = await db.Webhooks.SingleOrDefaultAsync(w => w.Id == id, cancellationToken);
        if (webhook is null)
        {
            return Problems.NotFound("webhook", id);
        }

        if (ETags.CheckIfMatch(http, webhook.Version) is { } mismatch)
        {
            return mismatch;
        }

        var patched = patch.ApplyTo(new(webhook.Url, webhook.Active, webhook.EventTypes));
        var details = new WebhookDetails(patched.Url, patched.EventTypes, patched.Active);
        var errors = WebhookRules.Check(details, options.Value.Webhooks.AllowPrivateTargets);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        if (webhook.Change(details, time.GetStorableNow()))
        {
            db.Add(ChangeEntry.Of(caller, $"webhooks/{id}", "changed", webhook.Version, webhook.UpdatedAt));
            if (await db.SaveChangedAsync("webhook", webhook, w => w.Id, w => w.Version, cancellationToken) is { } refused)
            {
                return refused;
            }
        }

        await directory.RefreshAsync(cancellationToken);
        signal.Wake(NotificationChannel.Webhook);
        ETags.Set(http, webhook.Version);
        return TypedResults.Ok(WebhookResponse.Of(webhook));
    }
}
