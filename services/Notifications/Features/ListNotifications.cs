using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

public static class ListNotifications
{
    private static readonly Paging s_paging = new("notifications");

    /// <summary>A message to somebody about an event: pending, sent or failed.</summary>
    /// <param name="Id">UUIDv7; also the left part of the mail's Message-ID.</param>
    /// <param name="EventId">The event's <c>ce_id</c>.</param>
    /// <param name="EventType">The event's <c>ce_type</c>.</param>
    /// <param name="OrderId">The order that the message is about; null for stock.</param>
    /// <param name="CustomerId">The customer who is notified; null for staff and for webhooks that belong to no customer.</param>
    /// <param name="Template">The name of the template.</param>
    /// <param name="Channel">The channel.</param>
    /// <param name="Recipient">The customer's address that was used (null before the first attempt and after an erasure), the staff role, or the id of the webhook or member of staff.</param>
    /// <param name="Status">The status.</param>
    /// <param name="Attempts">Number of attempts, including those before a resend.</param>
    /// <param name="CreatedAt">When it was recorded, UTC.</param>
    /// <param name="SentAt">When the channel accepted it, UTC.</param>
    /// <param name="LastError">Why the last attempt failed, or why it waits.</param>
    /// <param name="TemplateLanguage">The language of the template that was used; null before the first attempt and for webhooks.</param>
    /// <param name="TemplateVersion">The version of that template; 0 for the built-in one.</param>
    public sealed record Item(
        Guid Id, Guid EventId, string EventType, Guid? OrderId, Guid? CustomerId, string Template, NotificationChannel Channel, string? Recipient,
        NotificationStatus Status, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? SentAt, string? LastError, string? TemplateLanguage,
        long? TemplateVersion);

    /// <summary>List notifications, newest first</summary>
    /// <remarks>
    /// A customer's list has only their own messages, without <c>lastError</c>, which may quote a mail server or a provider. A filter for another
    /// customer is answered with 404.
    /// </remarks>
    /// <param name="orderId">Only those about this order.</param>
    /// <param name="customerId">Only those to this customer.</param>
    /// <param name="status">Only those that are <c>pending</c>, <c>sent</c> or <c>failed</c>.</param>
    /// <param name="channel">Only those by <c>email</c>, <c>sms</c> or <c>webhook</c>.</param>
    /// <param name="template">Only those of this template.</param>
    /// <param name="createdFrom">Only those recorded at this time or later.</param>
    /// <param name="createdTo">Only those recorded before this time.</param>
    /// <param name="limit">Items of one page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="db">The database.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="200">One page.</response>
    /// <response code="400">A filter, the limit or the cursor cannot be read.</response>
    public static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> HandleAsync(
        Guid? orderId, Guid? customerId, NotificationStatus? status, NotificationChannel? channel, string? template, DateTimeOffset? createdFrom, DateTimeOffset? createdTo,
        int? limit, string? cursor, Caller caller, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        if (customerId is { } requested && !caller.MaySee(requested))
        {
            return Problems.NotFound("customer", requested);
        }

        var query = db.Notifications.AsNoTracking();
        var own = caller.OnlyCustomer;
        if (own is not null)
        {
            // A delivery to the shop's webhooks is not a message to the customer.
            query = query.Where(n => n.CustomerId == own && n.Template != WebhookRecorder.Template);
        }

        if (status is not null)
        {
            query = query.Where(n => n.Status == status);
        }

        if (channel is not null)
        {
            query = query.Where(n => n.Channel == channel);
        }

        if (template is not null && NotificationProblems.FindWrong(template) is { } wrong)
        {
            return Problems.MalformedRequest("template", wrong);
        }

        if (createdFrom is { } from)
        {
            // Ids increase with time, and the list is in their order. The hour allows for clocks that differ.
            var (time, id) = (from.ToUniversalTime(), FirstIdOf(from, -1));
            query = query.Where(n => n.CreatedAt >= time && n.Id >= id);
        }

        if (createdTo is { } to)
        {
            var (time, id) = (to.ToUniversalTime(), FirstIdOf(to, 1));
            query = query.Where(n => n.CreatedAt < time && n.Id < id);
        }

        query = template is null ? query : query.Where(n => n.Template == template);
        query = orderId is null ? query : query.Where(n => n.OrderId == orderId);
        query = customerId is null ? query : query.Where(n => n.CustomerId == customerId);
        query = after is null ? query : query.Where(n => n.Id < after);
        var items = await query
            .OrderByDescending(n => n.Id)
            .Take(take + 1)
            .Select(n => new Item(
                n.Id, n.EventId, n.EventType, n.OrderId, n.CustomerId, n.Template, n.Channel,
                n.CustomerId == null || n.Channel == NotificationChannel.Webhook ? n.RecipientRef : n.Recipient,
                n.Status, n.Attempts, n.CreatedAt, n.SentAt, own == null ? n.LastError : null, n.TemplateLanguage, n.TemplateVersion))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(items, take, item => item.Id));
    }

    /// <summary>No id that was created at that time is smaller.</summary>
    private static Guid FirstIdOf(DateTimeOffset time, int hours) => DatabaseValues.FirstIdOf(time.ToUnixTimeMilliseconds() + (hours * 3_600_000L));
}
