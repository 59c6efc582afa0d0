using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

public static class ResendNotification
{
    /// <summary>Send a notification again</summary>
    /// <remarks>
    /// The same notification, with the same Message-ID, Idempotency-Key or Webhook-Id, is due immediately, with a new round of attempts. A
    /// notification that is already due stays due; one that is being sent at this moment is not sent twice. A notification to a deleted webhook
    /// fails immediately.
    /// </remarks>
    /// <param name="id">The notification.</param>
    /// <param name="db">The database.</param>
    /// <param name="signal">Wakes the sender.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="202">It is due.</response>
    /// <response code="404">There is no such notification.</response>
    /// <response code="409">A later message of the order has been sent to the customer.</response>
    internal static async Task<Results<Accepted, ProblemHttpResult>> HandleAsync(
        Guid id, NotificationsDb db, SendSignal signal, CancellationToken cancellationToken)
    {
        var changed = await SendAgainAsync(db, [id], cancellationToken);
        if (changed.Count == 0)
        {
            return await db.Notifications.AnyAsync(n => n.Id == id, cancellationToken)
                ? Problems.Conflict("notification-overtaken", "A later message of the order has been sent.",
                    "Sending this one again would contradict it. Send the latest message of the order instead.")
                : Problems.NotFound("notification", id);
        }

        signal.WakeAll();
        return TypedResults.Accepted((string?)null);
    }

    /// <summary>Makes notifications due, except those that a later message has overtaken. Returns the ids of those that are due.</summary>
    internal static Task<List<Guid>> SendAgainAsync(NotificationsDb db, Guid[] ids, CancellationToken cancellationToken) =>
        // One statement with the database's clock, so that it cannot interleave with the sender's; a running lease is not changed.
        db.Database.SqlQuery<Guid>(
            $"""
             WITH n AS MATERIALIZED (SELECT id, channel, recipient_ref FROM notifications WHERE id = ANY({ids})),
             webhook AS MATERIALIZED (
                 SELECT w.id FROM webhooks w WHERE w.id::text IN (SELECT recipient_ref FROM n WHERE channel = 'webhook') ORDER BY w.id FOR KEY SHARE OF w),
             there AS (SELECT n.id, n.channel <> 'webhook' OR EXISTS (SELECT FROM webhook WHERE webhook.id::text = n.recipient_ref) AS is FROM n)
             UPDATE notifications
             SET status = CASE WHEN there.is THEN 'pending' ELSE 'failed' END,
                 attempts_before = CASE status WHEN 'pending' THEN attempts_before ELSE attempts END,
                 due_since = now(), next_attempt_at = now(), sent_at = NULL, last_error = CASE WHEN there.is THEN NULL ELSE {DeleteWebhook.Deleted} END
             FROM there
             WHERE notifications.id = there.id AND NOT EXISTS (
                 SELECT FROM notifications l WHERE l.order_id = notifications.order_id AND l.customer_id = notifications.customer_id
                     AND notifications.channel <> 'webhook' AND l.channel <> 'webhook' AND l.status = 'sent' AND l.order_version > notifications.order_version)
             RETURNING notifications.id AS "Value"
             """).ToListAsync(cancellationToken);
}
