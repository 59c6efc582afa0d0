using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class DeleteWebhook
{
    internal const string Deleted = "The webhook has been deleted.";

    /// <summary>Delete a webhook</summary>
    /// <remarks>Pending deliveries fail; what was delivered stays in the history.</remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, Caller caller, NotificationsDb db, WebhookDirectory directory, TimeProvider time, CancellationToken cancellationToken)
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

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        db.Remove(webhook);
        db.Add(ChangeEntry.Of(caller, $"webhooks/{id}", "deleted", webhook.Version, time.GetStorableNow()));
        if (await db.SaveChangedAsync("webhook", webhook, w => w.Id, w => w.Version, cancellationToken) is { } refused)
        {
            return refused;
        }

        // After the row is deleted: rows that were being recorded for it are committed by now, and no more will follow.
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE notifications SET status = 'failed', last_error = {Deleted}, leased_by = NULL, lease_until = NULL
             WHERE channel = 'webhook' AND recipient_ref = {id.ToString()} AND status = 'pending'
             """,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        await directory.RefreshAsync(cancellationToken);
        return TypedResults.NoContent();
    }
}
