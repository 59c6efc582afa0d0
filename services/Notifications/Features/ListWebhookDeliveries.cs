using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class ListWebhookDeliveries
{
    private static readonly Paging s_paging = new("webhook deliveries");

    /// <summary>One attempt to deliver. The contents of request and response are not kept.</summary>
    /// <param name="Id">UUIDv7.</param>
    /// <param name="NotificationId">The notification; the request's Webhook-Id.</param>
    /// <param name="EventId">The event's <c>ce_id</c>.</param>
    /// <param name="EventType">The event's <c>ce_type</c>.</param>
    /// <param name="Attempt">Number of the attempt for this notification, from 1.</param>
    /// <param name="AttemptedAt">When the request was made, UTC.</param>
    /// <param name="StatusCode">The endpoint's status code; null when it did not answer.</param>
    /// <param name="DurationMs">Time until the answer or the error, in milliseconds.</param>
    /// <param name="Error">Why the delivery was not accepted; null when it was.</param>
    public sealed record Item(
        Guid Id, Guid NotificationId, Guid EventId, string EventType, int Attempt, DateTimeOffset AttemptedAt, int? StatusCode, int DurationMs, string? Error);

    /// <summary>List a webhook's deliveries, newest first</summary>
    /// <remarks>Attempts of the last 30 days.</remarks>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> HandleAsync(
        Guid id, int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        if (!await db.Webhooks.AnyAsync(w => w.Id == id, cancellationToken))
        {
            return Problems.NotFound("webhook", id);
        }

        var deliveries = db.WebhookDeliveries.AsNoTracking().Where(d => d.WebhookId == id);
        deliveries = after is null ? deliveries : deliveries.Where(d => d.Id < after);
        var rows = await deliveries
            .OrderByDescending(d => d.Id)
            .Take(take + 1)
            .Select(d => new Item(d.Id, d.NotificationId, d.EventId, d.EventType, d.Attempt, d.AttemptedAt, d.StatusCode, d.DurationMs, d.Error))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, d => d.Id));
    }
}
